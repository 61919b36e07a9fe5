"""What a space says about the original's keys: a rule for each, from the old value to settings of ours."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from denas_core.errors import ConfigError

Fate = Literal["translated", "default", "changed", "dropped", "unknown"]
"""``changed``: something else takes its place; ``dropped``: it had no effect, or has none here."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What becomes of one old key.

    Attributes:
        fate: In one word.
        note: Why, for a person; empty where the settings say it all.
        settings: Values of the new configuration by key, with dots into components (``space.classes``).
        constraints: Bounds that it adds.
    """

    fate: Fate
    note: str = ""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    constraints: tuple[str, ...] = ()


class OldConfig:
    """A configuration of the original, read with errors that name the key and the file."""

    def __init__(self, document: Mapping[str, Any], *, origin: str) -> None:
        self.document = dict(document)
        self.origin = origin

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value as it stands in the file; `default` where there is none."""
        value = self.document.get(key)
        return default if value is None else value

    def number(self, key: str, default: float | None = None) -> float:
        """Return a finite number that is not negative.

        Raises:
            ConfigError: it is something else.
        """
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
            raise self.refused(key, "a number of at least 0")
        return value

    def whole(self, key: str, default: int | None = None) -> int:
        """Return a whole number that is not negative.

        Raises:
            ConfigError: it is something else.
        """
        value = self.number(key, default)
        if value != int(value):
            raise self.refused(key, "a whole number")
        return int(value)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text.

        Raises:
            ConfigError: it is something else.
        """
        value = self.get(key, default)
        if not isinstance(value, str):
            raise self.refused(key, "text")
        return value

    def refused(self, key: str, wanted: str) -> ConfigError:
        """Return the error for a value that cannot be read."""
        shown = json.dumps(self.document.get(key), default=str)[:60]
        return ConfigError(f"key {key!r} is {shown} ({self.origin}), and must be {wanted}")


Rule = Callable[[OldConfig, str], Outcome]
"""What becomes of a key, from the whole old configuration and the key's name."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Legacy:
    """How the original's search configurations of one domain are read.

    Attributes:
        domains: What the original calls the domain, in ``domain`` or ``model_type``.
        keys: Rule by key; beats the rule that all domains share.
        preset: The preset that is the original's space, where the defaults of the options are not.
    """

    domains: tuple[str, ...]
    keys: Mapping[str, Rule]
    preset: str = ""


def to(target: str, read: Callable[[OldConfig, str], Any] = OldConfig.whole, *, note: str = "") -> Rule:
    """Return the rule of a key whose value is that of `target`, read by `read`."""

    def rule(old: OldConfig, key: str) -> Outcome:
        return Outcome(fate="translated", settings={target: read(old, key)}, note=note)

    return rule


def bound(metric: str, sign: Literal["<=", ">="], *, factor: float = 1, note: str = "") -> Rule:
    """Return the rule of a key that bounds a metric, in units `factor` times as large."""

    def rule(old: OldConfig, key: str) -> Outcome:
        return Outcome(
            fate="translated",
            constraints=(bounded(old, key, metric, sign, factor),),
            note=note,
        )

    return rule


def bounded(old: OldConfig, key: str, metric: str, sign: str, factor: float) -> str:
    """Return the constraint that a key stands for.

    Raises:
        ConfigError: its value is not positive.
    """
    value = old.number(key) * factor
    if value <= 0:
        raise old.refused(key, "positive")
    return f"{metric}{sign}{int(value) if value == int(value) else value}"


def dropped(note: str) -> Rule:
    """Return the rule of a key that has no effect, and why."""
    return lambda old, key: Outcome(fate="dropped", note=note)
