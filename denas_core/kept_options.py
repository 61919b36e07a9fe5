"""The options of components while a plugin's code runs beside them: whoever changes them changes nothing."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable

from .component import Component


class KeptOptions:
    """The options of components as they are now."""

    def __init__(self, components: Iterable[Component]) -> None:
        self._kept = [
            (component, field.name, _copied(getattr(component, field.name, None)))
            for component in components
            for field in dataclasses.fields(component)
        ]

    def mended(self) -> str:
        """Put back every option that was changed and return the last one, as text; empty if none was."""
        changed = ""
        for component, name, value in self._kept:
            if not _is_same(vars(component).get(name), value):
                vars(component)[name] = _copied(value)
                changed = f"option {name!r} of {component.id}"
        return changed


def _copied(value: object) -> object:
    # Lists and mappings can change in place; anything else that is no plain value is what it is.
    return copy.deepcopy(value) if isinstance(value, (list, dict)) else value


def _is_same(now: object, before: object) -> bool:
    try:
        return now is before or (type(now) is type(before) and bool(now == before))
    except Exception:
        # Something that refuses to be compared was put there.
        return False
