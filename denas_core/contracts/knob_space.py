"""Knobs and the operators on them, which are the same for all search spaces."""

from __future__ import annotations

import dataclasses
import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.errors import ConfigError, did_you_mean
from denas_core.seeding import canonical_json, digest
from denas_core.values.architecture import Architecture, Knob, KnobValue

from .component import Component


@dataclasses.dataclass(kw_only=True)
class KnobSpace(Component, ABC):
    """A set of architectures, described by knobs. `SearchSpace` adds the networks.

    A subclass must define `knobs`, and may define `canonical`. All operators use these two methods: sampling, mutation,
    crossover, neighbours, keys and notation.
    """

    @abstractmethod
    def knobs(self) -> tuple[Knob, ...]:
        """Return the knobs; each knob comes after the knobs that it depends on. The knobs may depend on options."""

    def canonical(self, values: Mapping[str, KnobValue]) -> dict[str, KnobValue]:
        """Return the values of the active knobs, in the order of the knobs.

        A space overrides this method for two reasons: to repair values that do not fit together, such as a width that
        is not divisible by the number of heads, and to give isomorphic networks the same values. It must accept any
        combination of knob values, and a second call must not change its result.
        """
        return self._active(values)

    def fingerprint(self) -> str:
        """Return a text that is part of every key. It changes when the same knob values describe another network."""
        return canonical_json(self.options())

    def smallest(self) -> Architecture | None:
        """Return the architecture with the fewest parameters and FLOPs; by default, each knob has its first value.

        Return None if the knobs have no size order; the reachable range and relative budgets are then unavailable.
        """
        return self._extreme(0)

    def full(self) -> Architecture | None:
        """Return the architecture with the most parameters and FLOPs; by default, each knob has its last value.

        Return None as `smallest` does.
        """
        return self._extreme(-1)

    def architecture(self, values: Mapping[str, Any], *, origin: str = "architecture") -> Architecture:
        """Check `values`, make them canonical and return the architecture.

        Raises:
            ConfigError: a knob is unknown, a value is not one of its choices, or an active knob has no value.
        """
        knobs = {knob.name: knob for knob in self.knobs()}
        chosen: dict[str, KnobValue] = {}
        for name, value in values.items():
            if name not in knobs:
                raise ConfigError(
                    f"space {self.id!r} has no knob {name!r:.42} ({origin}){did_you_mean(str(name), knobs)}"
                )
            choice = knobs[name].choice(value)
            if choice is None:
                raise ConfigError(
                    f"knob {name!r} of {self.id!r} cannot be {value!r} ({origin}); "
                    f"choose from {knobs[name].describe_values()}"
                )
            chosen[name] = choice
        active = self._active(chosen)
        missing = [knob.name for knob in knobs.values() if knob.is_active(active) and knob.name not in active]
        if missing:
            raise ConfigError(f"knob {missing[0]!r} of {self.id!r} has no value ({origin})")
        return self.unchecked(self.canonical(active))

    def unchecked(self, canonical: Mapping[str, KnobValue]) -> Architecture:
        """Return the architecture for values that are known to be canonical, without a check."""
        if "_fingerprint" not in self.__dict__:
            # Kept, because it may read a whole checkpoint, and every key needs it.
            self.__dict__["_fingerprint"] = self.fingerprint()
        return Architecture(
            self.id, canonical, digest([self.id, self.__dict__["_fingerprint"], dict(canonical)])
        )

    def size(self) -> int:
        """Return the number of combinations of knob values; `canonical` may give several of them the same network."""
        knobs = self.knobs()

        def settings(knob: Knob) -> int:
            total = 0
            for value in knob.values:
                below = 1
                for child in knobs:
                    if child.when is not None and child.when[0] == knob.name and value in child.when[1]:
                        below *= settings(child)
                total += below
            return total

        size = 1
        for knob in knobs:
            if knob.when is None:
                size *= settings(knob)
        return size

    def sample(self, rng: random.Random) -> Architecture:
        """Return an architecture with every knob drawn uniformly."""
        return self._completed({}, rng)

    def neighbours(self, arch: Architecture) -> list[Architecture]:
        """Return all architectures that differ in one knob. Knobs that become active take their middle value."""
        found: dict[str, Architecture] = {}
        for knob in self._known_knobs():
            if knob.name in arch.values:
                for value in knob.values:
                    other = self.changed(arch, {knob.name: value})
                    found.setdefault(other.key, other)
        found.pop(arch.key, None)
        return list(found.values())

    def mutate(
        self,
        arch: Architecture,
        rng: random.Random,
        *,
        layer_probability: float = 0.2,
        network_probability: float = 0.4,
    ) -> Architecture:
        """Return another architecture, in which at least one knob has another value.

        Each knob changes with the probability of its kind. If none changes, the result is a random neighbour.

        Args:
            arch: The architecture.
            rng: The generator of all random numbers.
            layer_probability: Probability for knobs that belong to a layer.
            network_probability: Probability for knobs that belong to the whole network.
        """
        values = arch.as_dict()
        for knob in self.knobs():
            probability = network_probability if knob.layer is None else layer_probability
            if knob.name in arch.values and len(knob.values) > 1 and rng.random() < probability:
                values[knob.name] = rng.choice([v for v in knob.values if v != arch[knob.name]])
        child = self._completed(values, rng)
        if child.key == arch.key:
            child = rng.choice(self.neighbours(arch) or [arch])
        return child

    def crossover(self, first: Architecture, second: Architecture, rng: random.Random) -> Architecture:
        """Return a child that takes each knob from either parent with equal probability."""
        values: dict[str, KnobValue] = {}
        for knob in self.knobs():
            holders = [parent for parent in (first, second) if knob.name in parent.values]
            if holders:
                values[knob.name] = rng.choice(holders)[knob.name]
        return self._completed(values, rng)

    def blend(self, arch: Architecture, target: Architecture, knobs: Sequence[str]) -> Architecture:
        """Return `arch` with the values of `target` for the named knobs, if `target` has them."""
        values = arch.as_dict()
        values.update({name: target[name] for name in knobs if name in target.values})
        return self._completed(values, None)

    def changed(
        self, arch: Architecture, values: Mapping[str, KnobValue], rng: random.Random | None = None
    ) -> Architecture:
        """Return `arch` with other values for some knobs.

        Args:
            arch: The architecture.
            values: New values by name of the knob.
            rng: Draws the values of knobs that become active; without it, they take their middle value.
        """
        return self._completed({**arch.values, **values}, rng)

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read an architecture from YAML or JSON: knob values, or a mapping with the knob values under ``arch``.

        Args:
            text: The text.
            origin: The source of the text, for errors.
        """
        from denas_core.system.guarded_yaml import load_mapping

        document = load_mapping(text, origin=origin)
        inner = document.get("arch", document)
        if not isinstance(inner, dict):
            raise ConfigError(f"'arch' must be a mapping of knob values, not {inner!r} ({origin})")
        return self.architecture(inner, origin=origin)

    def format(self, arch: Architecture) -> str:
        """Return a notation of `arch` on one line, which `parse` can read."""
        return canonical_json(arch.as_dict())

    def _known_knobs(self) -> tuple[Knob, ...]:
        # Kept, because every operator needs them for every architecture.
        if "_knobs_once" not in self.__dict__:
            self.__dict__["_knobs_once"] = self.knobs()
        known: tuple[Knob, ...] = self.__dict__["_knobs_once"]
        return known

    def _active(self, values: Mapping[str, KnobValue]) -> dict[str, KnobValue]:
        active: dict[str, KnobValue] = {}
        for knob in self._known_knobs():
            if knob.name in values and knob.is_active(active):
                active[knob.name] = values[knob.name]
        return active

    def _completed(self, values: Mapping[str, KnobValue], rng: random.Random | None) -> Architecture:
        complete: dict[str, KnobValue] = {}
        for knob in self._known_knobs():
            if knob.is_active(complete):
                if knob.name in values:
                    complete[knob.name] = values[knob.name]
                else:
                    middle = knob.values[len(knob.values) // 2]
                    complete[knob.name] = middle if rng is None else rng.choice(knob.values)
        return self.unchecked(self.canonical(complete))

    def _extreme(self, index: int) -> Architecture:
        return self.unchecked(self.canonical({knob.name: knob.values[index] for knob in self.knobs()}))
