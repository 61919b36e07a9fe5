"""A copy of the options of components, with which a change that a score makes to them is noticed and undone."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable

from denas_core.contracts.component import Component


class KeptOptions:
    """The values that the options of components had when this object was made."""

    def __init__(self, components: Iterable[Component]) -> None:
        self._kept = [
            (component, field.name, _copied(getattr(component, field.name)))
            for component in components
            for field in dataclasses.fields(component)
        ]

    def restore(self) -> str:
        """Restore every option that has changed. Return the last one as text, or an empty text if none has changed."""
        changed = ""
        for component, name, value in self._kept:
            if getattr(component, name, None) != value:
                # A component may be frozen.
                object.__setattr__(component, name, _copied(value))
                changed = f"option {name!r} of {component.id}"
        return changed


def _copied(value: object) -> object:
    # Lists and mappings are copied because they can be changed in place.
    return copy.deepcopy(value) if isinstance(value, (list, dict)) else value
