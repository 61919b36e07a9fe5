"""The problem that a strategy works on: a space, its constraints, and the repair of architectures that break them."""

from __future__ import annotations

import math
import random
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

from denas_core.values.architecture import Architecture
from denas_core.values.latency import Latency
from denas_core.values.objectives import Constraint, Objective, violations
from denas_core.values.record import Record

from .approach import approach
from .prediction import Prediction
from .space import SearchSpace

REMEMBERED_COSTS = 4096

DRAWS = 8
"""Samples of the space among which one that keeps the constraints is looked for."""


class Problem:
    """A search space under constraints, with the objectives of the search.

    Attributes:
        space: The space.
        constraints: Absolute constraints. `violations`, `sample` and `repair` ignore those on measured metrics. A
            predicted metric is not a measured one.
        objectives: Axes of the Pareto front, for strategies that use several objectives.
        prediction: Predicts latency and what follows from it; None if nothing is predicted.
    """

    def __init__(
        self,
        space: SearchSpace,
        constraints: Sequence[Constraint] = (),
        objectives: Sequence[Objective] = (),
        prediction: Prediction | None = None,
    ) -> None:
        self.space = space
        self.constraints = tuple(constraints)
        self.objectives = tuple(objectives)
        self.prediction = prediction
        self._static = tuple(c for c in constraints if not c.is_measured)
        self._costs: OrderedDict[str, tuple[Mapping[str, float], Latency | None]] = OrderedDict()

    @property
    def counted_constraints(self) -> tuple[Constraint, ...]:
        """The constraints on metrics that are known without running a network."""
        return self._static

    def __reduce__(self) -> tuple[type[Problem], tuple[object, ...]]:
        return Problem, (self.space, self.constraints, self.objectives, self.prediction)

    def cost(self, arch: Architecture) -> Mapping[str, float]:
        """Return the metrics that are known without running the network: those counted, and those predicted.

        The last few thousand results are kept.
        """
        return self._known(arch)[0]

    def predicted(self, arch: Architecture) -> Latency | None:
        """Return the predicted latency with its interval; None if the search predicts none."""
        return None if self.prediction is None else self._known(arch)[1]

    def predicts(self, metric: str) -> bool:
        """Return whether a metric is predicted."""
        return self.prediction is not None and metric in self.prediction.names

    def violations(self, arch: Architecture) -> dict[Constraint, float]:
        """Return the relative excess over each broken constraint. Constraints on measured metrics are left out."""
        return violations(self._static, self.cost(arch)) if self._static else {}

    def total_violation(self, arch: Architecture) -> float:
        """Return the sum of `violations`: 0 if `arch` keeps every constraint that does not need a measurement."""
        return sum(self.violations(arch).values())

    def sample(self, rng: random.Random) -> Architecture:
        """Return a random architecture within the constraints.

        It is the first of `DRAWS` samples of the space that keeps them. If none does, the least violating one is
        repaired. The result is therefore uniform if many architectures keep the constraints, and nearly so otherwise.
        """
        nearest, least = None, math.inf
        for _ in range(DRAWS):
            arch = self.space.sample(rng)
            violation = self.total_violation(arch)
            if not violation:
                return arch
            if violation < least:
                nearest, least = arch, violation
        assert nearest is not None
        return self.repair(nearest, rng)

    def repair(
        self, arch: Architecture, rng: random.Random, *, is_over: Callable[[], bool] = lambda: False
    ) -> Architecture:
        """Return `arch` if it keeps the constraints, else an architecture near it that does, if one is found.

        First, `arch` is mixed with the smallest (or full) architecture: its knobs take the values of that one in a
        random order, and bisection finds the smallest number of knobs with which every constraint in that direction
        holds. If other constraints are then broken, single knobs change until all hold, see `approach`.

        Args:
            arch: The architecture.
            rng: The generator of all random numbers.
            is_over: Whether to end early, with the least violating architecture so far.
        """
        broken = self.violations(arch)
        if not broken:
            return arch
        mixed = self._mixed(arch, rng, upper=next(iter(broken)).upper)
        start = min([arch, *mixed], key=self.total_violation)
        if not self.violations(start):
            return start
        return approach(self.space, self._static, self.cost, start, rng, is_over=is_over)

    def vary(self, arch: Architecture, rng: random.Random, *, taken: Iterable[str] = ()) -> Architecture:
        """Return another architecture near `arch` within the constraints, or the least violating one that is found.

        Args:
            arch: The architecture.
            rng: The generator of all random numbers.
            taken: Keys of other architectures that are not wanted.
        """
        if not self._static:
            return self.space.mutate(arch, rng)
        return approach(self.space, self._static, self.cost, arch, rng, taken={arch.key, *taken})

    def _mixed(self, arch: Architecture, rng: random.Random, *, upper: bool) -> list[Architecture]:
        """Return the last mixture with an end of the space that breaks a constraint of a direction, and the next."""
        target = self.space.smallest() if upper else self.space.full()
        if target is None:
            return []
        # Knobs that only the target has are included: a layer that the blend adds must have the target's width.
        names = list(dict.fromkeys((*arch.values, *target.values)))
        rng.shuffle(names)

        def mixture(count: int) -> Architecture:
            return self.space.blend(arch, target, names[:count])

        beyond, within = 0, len(names)
        while within - beyond > 1:
            middle = (beyond + within) // 2
            if any(constraint.upper == upper for constraint in self.violations(mixture(middle))):
                beyond = middle
            else:
                within = middle
        return [mixture(beyond), mixture(within)]

    def _known(self, arch: Architecture) -> tuple[Mapping[str, float], Latency | None]:
        if arch.key not in self._costs:
            cost, latency = dict(self.space.cost(arch)), None
            if self.prediction is not None:
                latency = self.prediction.latency(arch)
                cost |= self.prediction.metrics(self.space, latency)
            self._costs[arch.key] = Record(cost), latency
            if len(self._costs) > REMEMBERED_COSTS:
                self._costs.popitem(last=False)
        return self._costs[arch.key]
