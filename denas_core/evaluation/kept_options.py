"""Options of components while scores run beside them: a score that changes one of them is noticed."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable

from denas_core.contracts.component import Component


class KeptOptions:
    """The options of components as they are now."""

    def __init__(self, components: Iterable[Component]) -> None:
        self._kept = [
            (component, field.name, _copied(getattr(component, field.name)))
            for component in components
            for field in dataclasses.fields(component)
        ]

    def restore(self) -> str:
        """Put back every option that was changed and return the last one, as text; empty if none was."""
        changed = ""
        for component, name, value in self._kept:
            if getattr(component, name, None) != value:
                # A component may be frozen.
                object.__setattr__(component, name, _copied(value))
                changed = f"option {name!r} of {component.id}"
        return changed


def _copied(value: object) -> object:
    # Lists and mappings can change in place.
    return copy.deepcopy(value) if isinstance(value, (list, dict)) else value
