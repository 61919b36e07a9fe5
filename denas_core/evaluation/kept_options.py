"""Options and methods of components while a plugin's code runs beside them: whoever changes them changes nothing."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable
from inspect import getattr_static, isfunction
from operator import is_

from denas_core.contracts.component import Component


class KeptOptions:
    """The options and methods of components as they are now."""

    def __init__(self, components: Iterable[Component]) -> None:
        known = list(components)
        self._kept = [
            (component, field.name, _copied(getattr(component, field.name, None)))
            for component in known
            for field in dataclasses.fields(component)
        ]
        self._names = [(component, set(vars(component))) for component in known]
        owners = {owner: None for component in known for owner in type(component).__mro__[:-1]}
        self._methods = [(owner, dict(vars(owner))) for owner in owners]

    def restore(self) -> str:
        """Put back every option and method that was changed and return the last one, as text; empty if none was."""
        changed = ""
        for owner, methods in self._methods:
            now = vars(owner)
            if len(now) == len(methods) and all(map(is_, now.values(), methods.values())):
                continue
            for name, method in methods.items():
                if callable(method) and now.get(name) is not method:
                    setattr(owner, name, method)
                    changed = f"{owner.__name__}.{name}"
        for component, names in self._names:
            for name in vars(component).keys() - names:
                # What an object has of its own hides the method of its class; a cached property is none.
                if isfunction(getattr_static(type(component), name, None)):
                    del vars(component)[name]
                    changed = f"method {name!r} of {component.id}"
        for component, name, value in self._kept:
            if not _is_same(getattr(component, name, None), value):
                # Past the component's own __setattr__, into its __dict__ or its slots.
                object.__setattr__(component, name, _copied(value))
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
