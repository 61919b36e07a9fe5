"""A search space that breaks each promise about knobs, keys, operators and costs, by the check that must notice."""

from __future__ import annotations

import dataclasses
import itertools
import random
from typing import Any

from denas_core import Knob, option
from denas_core.testing.samples.knobs import Conditional

from .broken_checkpoints import BROKEN_CHECKPOINTS
from .broken_networks import (
    BROKEN_NETWORKS,
    AlwaysNoisy,
    GlobalNoise,
    GlobalWeights,
    InPlace,
    OneSeed,
    SameNoise,
    SeedingBuild,
)

_counter = itertools.count()


class NeverActive(Conditional):
    def knobs(self) -> Any:
        return (*super().knobs(), Knob("gate", (1, 2), when=("mixer", ("attention",))))


class TupleValues(Conditional):
    def knobs(self) -> Any:
        return (*super().knobs(), Knob("shape", ((1, 2), (3, 4))))  # type: ignore[arg-type]


class UnsteadyKnobs(Conditional):
    def knobs(self) -> Any:
        return (*super().knobs(), Knob("gate", (1, 2), layer=next(_counter)))


class Picky(Conditional):
    def canonical(self, values: Any) -> Any:
        if values["mixer"] == "pool" and "kernel" in values:
            raise KeyError("kernel")
        return super().canonical(values)


class HalfRepaired(Conditional):
    """Widths may only fall by one step; each call repairs one step."""

    def canonical(self, values: Any) -> Any:
        values = super().canonical(values)
        if values.get("width1") == 32:
            values["width1"] = 16
        elif values.get("width1") == 16:
            values["width1"] = 8
        return values


class FirstComes(Conditional):
    def canonical(self, values: Any) -> Any:
        repaired = super().canonical(values)
        return repaired if next(iter(values)) == "depth" else {**repaired, "width1": 8}


class KeepsInactive(Conditional):
    def canonical(self, values: Any) -> Any:
        return {knob.name: values[knob.name] for knob in self.knobs() if knob.name in values}


class GlobalSamples(Conditional):
    def sample(self, rng: random.Random) -> Any:
        return super().sample(random.Random(next(_counter)))


class OffGrid(Conditional):
    def sample(self, rng: random.Random) -> Any:
        values = super().sample(rng).as_dict()
        return self.unchecked({**values, "width1": 9})


class ShrinksValues(Conditional):
    def architecture(self, values: Any, *, origin: str = "") -> Any:
        return super().architecture({**values, "width1": 8}, origin=origin)


class LossyNotation(Conditional):
    def format(self, arch: Any) -> str:
        return super().format(self.architecture({**arch.as_dict(), "width1": 8}))


class HashedKeys(Conditional):
    def fingerprint(self) -> str:
        return str(hash("conditional"))


@dataclasses.dataclass(kw_only=True)
class ForgetsOption(Conditional):
    scale: int = option(2, "Factor of every width", at_least=1)

    def fingerprint(self) -> str:
        return "always the same"

    def cost(self, arch: Any) -> Any:
        return {name: count * self.scale for name, count in super().cost(arch).items()}


class LazyMutation(Conditional):
    def mutate(self, arch: Any, rng: random.Random, **probabilities: float) -> Any:
        return arch if rng.random() < 0.5 else super().mutate(arch, rng, **probabilities)


class WildMutation(Conditional):
    def mutate(self, arch: Any, rng: random.Random, **probabilities: float) -> Any:
        child = super().mutate(arch, rng, **probabilities).as_dict()
        return self.unchecked({**child, "width1": 12})


class UnsteadyCrossover(Conditional):
    def crossover(self, first: Any, second: Any, rng: random.Random) -> Any:
        return super().crossover(first, second, random.Random(next(_counter)))


class OwnNeighbour(Conditional):
    def neighbours(self, arch: Any) -> Any:
        return [arch, *super().neighbours(arch)]


class NegativeCost(Conditional):
    def cost(self, arch: Any) -> Any:
        return {**super().cost(arch), "flops": -1}


class TimedCost(Conditional):
    def cost(self, arch: Any) -> Any:
        return {**super().cost(arch), "flops": next(_counter)}


class WrongEnds(Conditional):
    def full(self) -> Any:
        return super().smallest()


class Reseeding(Conditional):
    def cost(self, arch: Any) -> Any:
        random.seed(0)
        return super().cost(arch)


class PopsValues(Conditional):
    def canonical(self, values: Any) -> Any:
        repaired = super().canonical(values)
        values.pop("dilation", None)
        return repaired


class Chatty(Conditional):
    def cost(self, arch: Any) -> Any:
        print("counting")
        return super().cost(arch)


class ValueForValues(Conditional):
    def knobs(self) -> Any:
        return (*super().knobs(), Knob("gate", (1, 2), when=("depth", 3)))  # type: ignore[arg-type]


class ListOfValues(Conditional):
    def knobs(self) -> Any:
        return (*super().knobs(), Knob("gate", [1, 2]))  # type: ignore[arg-type]


BROKEN: dict[str, Any] = {
    "knobs_can_be_searched": NeverActive,
    "knobs_are_plain": (TupleValues, ValueForValues, ListOfValues),
    "canonical_accepts_any_values": Picky,
    "canonical_is_idempotent": HalfRepaired,
    "canonical_ignores_order": FirstComes,
    "inactive_knobs_change_nothing": KeepsInactive,
    "architectures_are_inside": (OffGrid, WildMutation),
    "values_and_notation_can_be_read_again": (ShrinksValues, LossyNotation),
    "keys_are_the_same_in_every_process": HashedKeys,
    "equal_keys_mean_equal_networks": ForgetsOption,
    "mutations_are_others": LazyMutation,
    "neighbours_are_others": OwnNeighbour,
    "costs_are_counts": NegativeCost,
    "ends_bound_every_network": WrongEnds,
    "it_leaves_the_process_alone": (Reseeding, SeedingBuild),
    "it_prints_nothing": Chatty,
    "it_repeats": (
        UnsteadyKnobs,
        GlobalSamples,
        UnsteadyCrossover,
        TimedCost,
        AlwaysNoisy,
        GlobalWeights,
        GlobalNoise,
    ),
    "another_seed_gives_another_result": (OneSeed, SameNoise),
    "it_leaves_its_arguments_alone": (InPlace, PopsValues),
    **BROKEN_NETWORKS,
    **BROKEN_CHECKPOINTS,
}
