"""What a space declares about the original DE-NAS: how it scored this domain, and what its configuration keys mean."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from denas_core.errors import ConfigError

T = TypeVar("T")

SALIENCY: Mapping[str, int] = MappingProxyType({"conv": 1, "ffn": 1, "head": 1})
"""Default for how often saliency counts the weights of each role."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How the original DE-NAS computed its score for one space.

    Attributes:
        arithmetic: ``ratio``: w_E E / (w_S S) - w_K K; ``sum``: w_D D + w_S S; both divided by 1 + w_L latency.
        weights: The original's default weights by component, and ``latency``. The original did not use components of
            weight 0, and by default the DE-Score does not use them either.
        batch_size: Samples of the noise batch with which the original scored.
        synaptic_batch_size: Samples of the constant batch for diversity and saliency.
        noise: Standard deviation of the noise on the continuous inputs of that batch, if the original drew them at
            random. Only diversity uses it, because saliency needs inputs without signs.
        variant: The structure that the original scored; ``plain`` has no residual connections.
        initialisation: ``normal``: weights N(0, 1), biases 0, norm gains 1; ``fresh`` or ``inherited``: as the space
            gives them.
        drawn: The weights that ``normal`` draws, see `PassSpec.drawn`.
        diversity: Roles of the weights that diversity uses.
        saliency: How often saliency counts the weights of each role. The entry of a part, such as ``ffn.in``, takes
            precedence over that of its role.
        latency_ms: Length in milliseconds of the time unit in which the original weighs latency.
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
"""``default``: the key sets what is the default here; ``unused``: the key had no effect in the original; ``missing``:
there is no such setting here; ``elsewhere``: another key or option replaces it; ``unknown``: the original has no such
key."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The translation of one key of the original.

    Attributes:
        fate: What happens to the key, in one word.
        note: The reason; empty if the settings need no explanation.
        settings: Values of the new configuration by key; dots lead into mappings (``space.classes``).
        constraints: Constraints that the key adds to a search.
    """

    fate: Fate = "translated"
    note: str = ""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    constraints: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class OldConfig:
    """A configuration of the original.

    Attributes:
        document: The content of its file.
        origin: The source of the configuration, for errors.
    """

    document: Mapping[str, Any]
    origin: str

    def read(self, key: str, convert: Callable[[Any], T], default: Any = None) -> T:
        """Return the converted value of a key, or the converted `default` if the file does not have the key.

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
"""Returns the translation of a key, given the whole old configuration and the name of the key."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeyTable:
    """The translations of the keys of one kind of configuration: the keys that have a meaning here, and those dropped.

    Dropped keys are listed by reason, separated by spaces. The table of a space takes precedence over the table of its
    task, and both take precedence over the table that all domains share.

    Attributes:
        keys: The rule of each key that has a meaning here.
        unused: Keys that had no effect in the original, by reason.
        missing: Keys that have no counterpart here, by reason.
        elsewhere: Keys that another key or option replaces, by the text that says which.
        fixed: Keys whose value cannot be chosen here, with the value that they always have.
        preset: The preset that equals the original's space; empty if the default options do.
        task: The task that the original trained for. Its class has a table of its own, see `Task.legacy`.
        implied: Returns settings that the original used although no key sets them. Keys take precedence over it.
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
        domains: The original's names of the domain, in ``domain`` or ``model_type``.
        search: Keys of a search configuration.
        training: Keys of a training configuration; None if these are not read.
    """

    domains: tuple[str, ...]
    search: KeyTable
    training: KeyTable | None = None
