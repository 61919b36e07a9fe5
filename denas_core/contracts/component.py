"""Components and their options: a component is a keyword-only dataclass whose fields are its options."""

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

    Mutable defaults (lists, dicts) are copied for each component. A plain annotated field works too; it has no help.

    Args:
        default: The value when the user names none.
        help: One line for `denas show`; start with a capital, end without a full stop.
        at_least: Smallest value allowed.
        at_most: Largest value allowed.
        above: Largest value *not* allowed.
    """
    metadata = {"help": help, "ge": at_least, "le": at_most, "gt": above}
    if isinstance(default, (list, dict)):
        kind = type(default)
        return dataclasses.field(default_factory=lambda: kind(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(kw_only=True)
class Component:
    """Something a plugin provides and a configuration names; subclasses are keyword-only dataclasses too."""

    @property
    def id(self) -> str:
        """The public id, ``<plugin>/<name>``; for a class that no plugin provides, ``module:Class``."""
        return self.__dict__.get("_id") or f"{type(self).__module__}:{type(self).__qualname__}"

    def named(self, id: str) -> Self:
        """Give this component its public id and return it; the registry calls this once."""
        self.__dict__["_id"] = id
        return self

    def options(self) -> dict[str, Any]:
        """Return the options and their values, fit for JSON."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def reference(self) -> dict[str, Any]:
        """Return the id and the options, from which a registry makes the same component."""
        return {"id": self.id, "options": self.options()}
