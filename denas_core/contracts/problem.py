"""The problem that a strategy works on: a space, its constraints, and the repair of architectures that break them."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from denas_core.values.architecture import Architecture
from denas_core.values.latency import Latency
from denas_core.values.objectives import Constraint, Objective, violations
from denas_core.values.record import Record

from .prediction import Prediction
from .space import SearchSpace

REMEMBERED_COSTS = 512


class Problem:
    """A search space under constraints, with the objectives of the search.

    Attributes:
        space: The space.
        constraints: Absolute constraints. `violations` and `repair` ignore those on measured metrics. A predicted
            metric is not a measured one.
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

    def __reduce__(self) -> tuple[type[Problem], tuple[object, ...]]:
        return Problem, (self.space, self.constraints, self.objectives, self.prediction)

    def cost(self, arch: Architecture) -> Mapping[str, float]:
        """Return the metrics that are known without running the network: those counted, and those predicted.

        The last few hundred results are kept.
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

    def repair(self, arch: Architecture, rng: random.Random) -> Architecture:
        """Return `arch` if it is feasible, else a mixture of it with the smallest (or full) architecture that is.

        Knobs take the value of that other architecture in a random order, and bisection finds the smallest number of
        knobs with which every constraint holds. If there is no such number, the other architecture itself is returned.
        """
        broken = self.violations(arch)
        if not broken:
            return arch
        target = self.space.smallest() if next(iter(broken)).upper else self.space.full()
        if target is None:
            return arch
        # Knobs that only the target has are included: a layer that the blend adds must have the target's width.
        names = list(dict.fromkeys((*arch.values, *target.values)))
        rng.shuffle(names)
        infeasible, feasible = 0, len(names)
        while feasible - infeasible > 1:
            middle = (infeasible + feasible) // 2
            if self.violations(self.space.blend(arch, target, names[:middle])):
                infeasible = middle
            else:
                feasible = middle
        return self.space.blend(arch, target, names[:feasible])

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
