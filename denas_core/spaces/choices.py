"""Knobs from a mapping of choices, as a user writes them beside a function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from denas_core.errors import ConfigError
from denas_core.text import safe_repr
from denas_core.values.architecture import Knob, KnobValue

PLAIN = (bool, int, float, str)
FORM = "{'values': [3, 5], 'when': {'conv': [True]}}"


def read_choices(knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the choices as JSON can represent them: a list for a knob, or a mapping with ``values`` and ``when``.

    Raises:
        ConfigError: a knob has fewer than two values, a value is not plain, or a condition cannot be read. The text
            names the knob.
    """
    if not isinstance(knobs, Mapping) or not knobs:
        raise ConfigError(f"knobs must be a mapping of names to values, not {safe_repr(knobs, 60)}")
    return {_name(name): _choice(name, choice) for name, choice in knobs.items()}


def knobs_of(choices: Mapping[str, Any]) -> tuple[Knob, ...]:
    """Return the knobs of choices that `read_choices` has read."""
    knobs = []
    for name, choice in choices.items():
        values, when = (choice["values"], choice["when"]) if isinstance(choice, Mapping) else (choice, None)
        condition = next(((parent, tuple(wanted)) for parent, wanted in (when or {}).items()), None)
        knobs.append(Knob(name, tuple(values), when=condition))
    return tuple(knobs)


def _name(name: object) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise ConfigError(
            f"knob {safe_repr(name, 60)} must have the name of an argument of the function that builds networks"
        )
    return name


def _choice(name: str, choice: Any) -> Any:
    if not isinstance(choice, Mapping):
        return _values(name, choice)
    when = choice.get("when")
    if set(choice) != {"values", "when"} or not isinstance(when, Mapping) or len(when) != 1:
        raise ConfigError(f"knob {name!r} must be a list of values, or have the form {FORM}")
    ((parent, wanted),) = when.items()
    return {"values": _values(name, choice["values"]), "when": {parent: _plain(name, wanted)}}


def _values(name: str, values: Any) -> list[KnobValue]:
    found = _plain(name, values)
    if len(found) < 2:
        raise ConfigError(
            f"knob {name!r} has {len(found)} value{'s' * (not found)}, {found}; give it two or more, or leave it out "
            "and set it in the function"
        )
    return found


def _plain(name: str, values: Any) -> list[KnobValue]:
    if isinstance(values, (str, bytes, set, frozenset, Mapping)) or not isinstance(values, Iterable):
        raise ConfigError(f"knob {name!r} must have a list of values, not {safe_repr(values, 60)}")
    found = list(values)
    for value in found:
        if type(value) not in PLAIN:
            raise ConfigError(
                f"knob {name!r} has the value {safe_repr(value, 60)}, which is a {type(value).__name__}; values are "
                "numbers, texts and truth values: name the choice, and let the function look it up"
            )
    return found
