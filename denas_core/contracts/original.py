"""What a space says of the original DE-NAS: how it scored the domain, and what the keys of its configurations mean."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from denas_core.errors import ConfigError

T = TypeVar("T")

SALIENCY: Mapping[str, int] = MappingProxyType({"conv": 1, "ffn": 1, "head": 1})
"""How often saliency counts the weights of each role, unless a recipe says otherwise."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The original's arithmetic for one space.

    Attributes:
        arithmetic: ``ratio``: w_E E / (w_S S) - w_K K; ``sum``: w_D D + w_S S; both divided by 1 + w_L latency.
        weights: The original's default weights by component, and ``latency``. The components of weight 0 had no part in
            it, and by default have none in the DE-Score.
        batch_size: Samples of the noise that the original scored with.
        synaptic_batch_size: Samples of the constant batch that its diversity and saliency saw.
        noise: Standard deviation of the noise on the continuous inputs of that batch, where it drew them at random.
            Diversity sees it; saliency needs inputs without signs.
        variant: Structure it scored: ``plain`` has no residual connections.
        initialisation: ``normal``: weights N(0, 1), biases 0, norm gains 1; ``fresh`` or ``inherited``: as the space's.
        drawn: What ``normal`` draws, see `PassSpec.drawn`.
        diversity: Roles of the weights that diversity looks at.
        saliency: How often saliency counts the weights of each role; a part that is named counts as it says.
        latency_ms: Milliseconds in the unit of latency that its weight is for.
    """

    arithmetic: Literal["ratio", "sum"]
    weights: Mapping[str, float]
    batch_size: int
    synaptic_batch_size: int = 1
    noise: float = 0.0
    variant: Literal["full", "plain"] = "full"
    initialisation: Literal["normal", "fresh", "inherited"] = "fresh"
    drawn: tuple[str, ...] = ()
    diversity: tuple[str, ...] = ("attention",)
    saliency: Mapping[str, int] = dataclasses.field(default_factory=lambda: dict(SALIENCY))
    latency_ms: float = 1.0


Fate = Literal["translated", "default", "unused", "missing", "elsewhere", "unknown"]
"""``default``: translated to what is the default anyway; ``unused``: without effect in the original; ``missing``:
without counterpart here; ``elsewhere``: another key or option has it; ``unknown``: no key of the original."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What becomes of one key of the original.

    Attributes:
        fate: In one word.
        note: Why, in words; empty where the settings say it all.
        settings: Values of the new configuration by key, with dots into mappings (``space.classes``).
        constraints: Bounds that it adds to a search.
    """

    fate: Fate = "translated"
    note: str = ""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    constraints: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class OldConfig:
    """A configuration of the original.

    Attributes:
        document: What its file holds.
        origin: What errors name as the source.
    """

    document: Mapping[str, Any]
    origin: str

    def read(self, key: str, convert: Callable[[Any], T], default: Any = None) -> T:
        """Return the converted value of a key, or of `default` where the file has none.

        Raises:
            ConfigError: `convert` raised a ValueError, whose text says what the value must be.
        """
        value = self.document.get(key)
        try:
            return convert(default if value is None else value)
        except ValueError as error:
            found = json.dumps(value, default=str)[:60]
            raise ConfigError(f"key {key!r} is {found} ({self.origin}), and must be {error}") from error


Rule = Callable[[OldConfig, str], Outcome]
"""What becomes of a key, from the whole old configuration and the key's name."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeyTable:
    """What the keys of one kind of configuration are here, and which keys are left out, and why.

    Keys that are left out stand by reason, with spaces between them. The table of a space beats that of its task, and
    both beat the table that all domains share.

    Attributes:
        keys: Rule of each key that says something here.
        unused: Keys without effect in the original, by reason.
        missing: Keys without counterpart here, by reason.
        elsewhere: Keys whose place something else has, by what has it.
        fixed: What cannot be chosen here: the value that it always has, by key.
        preset: The preset that is the original's space, where the defaults of the options are not.
        task: The task that the original trained for; its class has a table of its own, see `Task.legacy`.
        implied: What the original did without a key that says so; keys beat it.
    """

    keys: Mapping[str, Rule] = dataclasses.field(default_factory=dict)
    unused: Mapping[str, str] = dataclasses.field(default_factory=dict)
    missing: Mapping[str, str] = dataclasses.field(default_factory=dict)
    elsewhere: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fixed: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    preset: str = ""
    task: str = ""
    implied: Callable[[OldConfig], Outcome] | None = None

    def rules(self) -> dict[str, Rule]:
        """Return the rule of every key."""
        left_out: dict[Fate, Mapping[str, str]] = {
            "unused": self.unused,
            "missing": self.missing,
            "elsewhere": self.elsewhere,
        }
        return {
            **{
                key: _left_out(Outcome(fate=fate, note=reason))
                for fate, reasons in left_out.items()
                for reason, keys in reasons.items()
                for key in keys.split()
            },
            **{key: _fixed(value) for key, value in self.fixed.items()},
            **self.keys,
        }


def _left_out(outcome: Outcome) -> Rule:
    return lambda old, key: outcome


def _fixed(value: Any) -> Rule:
    def rule(old: OldConfig, key: str) -> Outcome:
        if old.document[key] == value:
            return Outcome(fate="default", note="the same here, and cannot be chosen")
        return Outcome(fate="missing", note=f"it cannot be chosen here; it is always {value}")

    return rule


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Legacy:
    """How the original's configurations of one domain are read.

    Attributes:
        domains: What the original calls the domain, in ``domain`` or ``model_type``.
        search: Keys of a search.
        training: Keys of a training; None where these are not read.
    """

    domains: tuple[str, ...]
    search: KeyTable
    training: KeyTable | None = None
