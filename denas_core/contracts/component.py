"""Components and their options. A component is a keyword-only dataclass, and its fields are its options."""

from __future__ import annotations

import dataclasses
from typing import Any, Self, TypeVar

T = TypeVar("T")


def option(
    default: T,
    help: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    above: float | None = None,
) -> T:
    """Declare an option of a component, with its documentation and bounds.

    Each component gets its own copy of a default that is a list or dict. An annotated field without `option` works too,
    but then the option has no help text.

    Args:
        default: The value if the user gives none.
        help: One line for `denas show`. It starts with a capital letter and ends without a full stop.
        at_least: Smallest allowed value.
        at_most: Largest allowed value.
        above: A bound that the value must exceed.
    """
    metadata = {"help": help, "ge": at_least, "le": at_most, "gt": above}
    if isinstance(default, (list, dict)):
        kind = type(default)
        return dataclasses.field(default_factory=lambda: kind(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(kw_only=True)
class Component:
    """An object that a plugin provides and a configuration names. Subclasses are keyword-only dataclasses too."""

    @property
    def id(self) -> str:
        """The public id ``<plugin>/<name>``, or ``module:Class`` for a class that no plugin provides."""
        return self.__dict__.get("_id") or f"{type(self).__module__}:{type(self).__qualname__}"

    def named(self, id: str) -> Self:
        """Set the public id of this component and return the component. The registry calls this once."""
        self.__dict__["_id"] = id
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # A component is its options: another process makes it from them, and whatever it has computed stays here.
        return _remade, (type(self), self.__dict__.get("_id"), self.options())

    def options(self) -> dict[str, Any]:
        """Return the values of the options by name. JSON can represent all of them."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def reference(self) -> dict[str, Any]:
        """Return the id and the options. A registry can make the same component from them."""
        return {"id": self.id, "options": self.options()}


def _remade(cls: type[Component], id: str | None, options: dict[str, Any]) -> Component:
    component = cls(**options)
    return component if id is None else component.named(id)
