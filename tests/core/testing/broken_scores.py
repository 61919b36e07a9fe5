"""A score that breaks each promise of a score, by the name of the check that must notice."""

from __future__ import annotations

import dataclasses
import itertools
import random
import warnings
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from denas_core import CombinedScore, PassSpec, ProxyScore, ScoreFailed, option
from denas_core.seeding import derive_rng

from .broken_components import Good

SPEC = PassSpec(size=4, readout="cotangent", gradients="weights")
_counter = itertools.count()


@dataclasses.dataclass(kw_only=True)
class GradNorm(ProxyScore):
    """The norm of the gradient."""

    def passes(self) -> Sequence[PassSpec]:
        return (SPEC,)

    def measure(self, candidate: Any) -> float:
        return float(sum(g.square().sum() for g in candidate.trace(SPEC).gradients.values()))


class Upwards(Good):
    direction = "up"  # type: ignore[assignment]


class OwnRole(Good):
    def requires(self) -> frozenset[str]:
        return frozenset({"recurrence"})


class UnsteadyPasses(Good):
    def passes(self) -> Sequence[PassSpec]:
        return (PassSpec(size=1 + next(_counter)),)


class ForConvolutions(Good):
    def measure(self, candidate: Any) -> float:
        kernels = [view.parameter for view in candidate.views() if view.kind == "conv"]
        return float(len(kernels[0]))


class Tensors(GradNorm):
    def measure(self, candidate: Any) -> Any:
        return torch.tensor(super().measure(candidate))


class Unsteady(Good):
    def measure(self, candidate: Any) -> float:
        return super().measure(candidate) + next(_counter)


class GlobalNoise(Good):
    def measure(self, candidate: Any) -> float:
        return super().measure(candidate) + random.random()


class Remembering(Good):
    last = 0.0

    def measure(self, candidate: Any) -> float:
        value = super().measure(candidate)
        before, self.__dict__["last"] = self.__dict__.get("last", 0.0), value
        return value + before


class OwnSeed(GradNorm):
    def measure(self, candidate: Any) -> float:
        candidate.trace(SPEC)
        return derive_rng(0, "own", candidate.arch.key).random()


class Constant(Good):
    def measure(self, candidate: Any) -> float:
        return 1.0


class Undeclared(GradNorm):
    def passes(self) -> Sequence[PassSpec]:
        return (PassSpec(size=4),)


class HeavyHanded(GradNorm):
    def measure(self, candidate: Any) -> float:
        with torch.no_grad():
            for parameter in candidate.network(SPEC).parameters():
                parameter.mul_(2)
        return super().measure(candidate)


class ChangesTrace(GradNorm):
    def measure(self, candidate: Any) -> float:
        candidate.trace(SPEC).outputs.features.add_(1)
        return super().measure(candidate)


class Reseeding(Good):
    def measure(self, candidate: Any) -> float:
        torch.manual_seed(0)
        return super().measure(candidate)


class Chatty(Good):
    def measure(self, candidate: Any) -> float:
        print("measuring")
        return super().measure(candidate)


class Threaded(Good):
    def measure(self, candidate: Any) -> float:
        torch.set_num_threads(2)
        return super().measure(candidate)


class Warned(Good):
    def measure(self, candidate: Any) -> float:
        warnings.simplefilter("error")
        return super().measure(candidate)


class Littering(Good):
    def measure(self, candidate: Any) -> float:
        Path("measured.txt").write_text(candidate.arch.key)
        return super().measure(candidate)


class LargestSoFar(Good):
    """Divides by the largest value it has seen, so that measuring twice in a row looks sound."""

    def measure(self, candidate: Any) -> float:
        value = super().measure(candidate)
        self.__dict__["largest"] = largest = max(value, self.__dict__.get("largest", 0.0))
        return value / largest


class Local(Good):
    def measure(self, candidate: Any) -> float:
        return super().measure(candidate) + zlib.crc32(bytes(Path.cwd()))


class NeverDefined(Good):
    """Gives no network a value, though it says that it needs nothing."""

    def measure(self, candidate: Any) -> float:
        raise ScoreFailed("not defined for anything")


class OnePass(Good):
    def passes(self) -> Any:
        return PassSpec(size=4)


class NoReadout(Good):
    def passes(self) -> Any:
        return (PassSpec(size=4, gradients="weights"),)


class Misspelt(Good):
    def passes(self) -> Any:
        return (PassSpec(size=4, weights="random"),)  # type: ignore[arg-type]


class Crashing(Good):
    def measure(self, candidate: Any) -> float:
        return float({}["weights"])


class Perturbing(Good):
    def passes(self) -> Any:
        return (PassSpec(size=4, perturbation=0.1),)

    def measure(self, candidate: Any) -> float:
        return float(candidate.trace(self.passes()[0]).outputs.features.sum())


BROKEN: dict[str, Any] = {
    "declarations_are_known": (Upwards, OwnRole),
    "passes_are_specifications": (OnePass, NoReadout, Misspelt),
    "networks_get_a_number": (Tensors, ForConvolutions, NeverDefined, Crashing, Perturbing),
    "values_tell_networks_apart": Constant,
    "only_declared_passes_run": Undeclared,
    "it_leaves_the_process_alone": (Reseeding, Threaded, Warned, Littering),
    "it_prints_nothing": Chatty,
    "it_repeats": (UnsteadyPasses, Unsteady, GlobalNoise, Remembering, LargestSoFar, Local),
    "another_seed_gives_another_result": OwnSeed,
    "it_leaves_its_arguments_alone": (HeavyHanded, ChangesTrace),
}


@dataclasses.dataclass(kw_only=True)
class Pair(CombinedScore):
    """Parameters and the norm of the gradient."""

    def default_weights(self, space: Any) -> Mapping[str, float]:
        return {"size": 1.0, "gradient": 2.0, "latency": 0.0}

    def component(self, name: str, space: Any) -> ProxyScore | None:
        return {"size": Good(), "gradient": GradNorm()}.get(name)


class NegativeWeights(Pair):
    def default_weights(self, space: Any) -> Mapping[str, float]:
        return {"size": -1.0, "gradient": 2.0}


class ClassComponents(Pair):
    def component(self, name: str, space: Any) -> Any:
        return Good


@dataclasses.dataclass(kw_only=True)
class Scaled(Good):
    """A multiple of the number of parameters."""

    factor: int = option(1, "Factor")


class UnsteadyComponents(Pair):
    def component(self, name: str, space: Any) -> Any:
        return Scaled(factor=next(_counter))


class DropsRows(Pair):
    def combine(self, table: Any, space: Any) -> Sequence[float]:
        return [sum(row) for row in zip(*table.columns.values(), strict=True) if None not in row]


class SmallerIsBetter(Pair):
    def combine(self, table: Any, space: Any) -> Sequence[float]:
        return [-value for value in super().combine(table, space)]


class FirstRowWins(Pair):
    def combine(self, table: Any, space: Any) -> Sequence[float]:
        return [value - row for row, value in enumerate(super().combine(table, space))]


class SampledAmongRows(Pair):
    uses_sample = True  # type: ignore[assignment]

    def combine(self, table: Any, space: Any) -> Sequence[float]:
        return super().combine(dataclasses.replace(table, sample=None), space)


class ReseedingPair(Pair):
    def combine(self, table: Any, space: Any) -> Sequence[float]:
        random.seed(0)
        return super().combine(table, space)


class ChattyPair(Pair):
    def combine(self, table: Any, space: Any) -> Sequence[float]:
        print("combining")
        return super().combine(table, space)


class SortingPair(Pair):
    def combine(self, table: Any, space: Any) -> Sequence[float]:
        table.columns["size"].sort()
        return super().combine(table, space)


BROKEN_COMBINED: dict[str, Any] = {
    "components_have_weights": (NegativeWeights, ClassComponents),
    "rows_get_a_number_each": DropsRows,
    "better_rows_get_more": SmallerIsBetter,
    "values_ignore_the_order_of_rows": FirstRowWins,
    "a_sample_makes_rows_independent": SampledAmongRows,
    "it_leaves_the_process_alone": ReseedingPair,
    "it_prints_nothing": ChattyPair,
    "it_repeats": UnsteadyComponents,
    "it_leaves_its_arguments_alone": SortingPair,
}
