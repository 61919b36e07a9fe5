"""How many proposals of a search keep its budgets, where few random networks do, and how much they differ.

    python benchmarks/feasible.py --table feasible.csv cv/cnn cv/vit nlp/bert

Random networks of each space show which bounds 1 in 100, 1,000 and 10,000 of them keep. The kinds of bounds are an
upper bound on parameters, a lower bound on them, bands (a lower and an upper bound) of one, two or three metrics, and
two bounds that work against each other (few parameters and many FLOPs, or few FLOPs and many parameters). Each strategy
then proposes generations until it has made 500 proposals. No network is scored: the strategy gets the FLOPs as the
score.

The latency is predicted, from operators that take 2 microseconds, plus their FLOPs at 20 billion a second, plus their
bytes at 10 billion a second. Real times would change the bounds, and not how many networks keep them.

The columns of the table: the proposals, the share of them that keeps the bounds, how many networks the random ones
contained that keep them, the CPU milliseconds of a proposal, and how the values of the knobs are distributed among the
first generation: the mean of their entropies (1: all values are equally frequent), the same of the random networks that
keep the bounds, and the mean total variation distance between the two (0: equal, 1: disjoint). A row that the table
holds is not measured again.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from truth import write_table

from denas_core import Architecture, Registry, SearchSpace
from denas_core.contracts.prediction import Prediction
from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History, Strategy
from denas_core.latency.fit import KINDS as OPERATOR_KINDS
from denas_core.latency.fit import TERMS, ModelError
from denas_core.latency.model import LatencyModel, Target
from denas_core.latency.operators import Operator
from denas_core.latency.table import OperatorTable
from denas_core.seeding import derive_seed
from denas_core.values.objectives import Constraint
from denas_core.values.trial import Evaluation, Trial

METRICS = ("params", "flops", "memory_mb")
BANDS: dict[str, tuple[str, ...]] = {
    "params": ("params",),
    "flops": ("flops",),
    "latency": ("latency_ms",),
    "params, flops": ("params", "flops"),
    "params, latency": ("params", "latency_ms"),
    "three": METRICS,
}
"""Metrics of each kind of bands."""

KINDS = ("upper", "lower", "corner", *BANDS)
ONE_IN = (100, 1000, 10_000)
LEAST_KEPT = 20
"""Random networks within the bounds from which the distribution of their knobs is estimated."""


@dataclasses.dataclass(frozen=True)
class Known:
    """Random networks of a space and their costs."""

    archs: Sequence[Architecture]
    costs: Sequence[dict[str, float]]

    def column(self, metric: str) -> list[float]:
        """Return the values of a metric."""
        return [cost[metric] for cost in self.costs]

    def kept(self, bounds: Sequence[Constraint]) -> list[Architecture]:
        """Return the networks within the bounds."""
        return [
            arch
            for arch, cost in zip(self.archs, self.costs, strict=True)
            if not any(bound.violation(cost[bound.metric]) for bound in bounds)
        ]


class AssumedTimes(OperatorTable):
    """Operators whose times follow from their FLOPs and bytes."""

    def milliseconds(self, operator: Operator) -> float:
        """Return the time of one call."""
        return 0.002 + operator.flops / 2e7 + operator.bytes / 1e7


def prediction_for(space: SearchSpace) -> Prediction:
    """Return the prediction of latency with `AssumedTimes`."""
    target = Target(probe={}, batch_size=1, device="cpu", threads=1, fingerprint="", machine={})
    model = LatencyModel(
        space,
        target=target,
        table=AssumedTimes({}),
        weights={name: float(name in OPERATOR_KINDS) for name in TERMS},
        error=ModelError(median_percent=0.0, tau=1.0, networks=0, spread=0.01),
    )
    return Prediction(predictor=model, units={"audio_seconds": 1.0}, names=frozenset({"latency_ms"}))


def sample(problem: Problem, count: int, seconds: float) -> Known:
    """Return up to `count` random networks and their costs; fewer if they take longer than `seconds` of CPU."""
    rng = random.Random(1)
    archs, costs = [], []
    known: dict[str, dict[str, float]] = {}
    start = time.process_time()
    while len(archs) < count and (time.process_time() - start < seconds or len(archs) < 200):
        arch = problem.space.sample(rng)
        if arch.key not in known:
            known[arch.key] = dict(problem.cost(arch))
        archs.append(arch)
        costs.append(known[arch.key])
    return Known(archs, costs)


def choose_bounds(kind: str, known: Known, one_in: int) -> list[Constraint]:
    """Return bounds that about 1 in `one_in` of the known networks keeps."""
    wanted = max(1, round(len(known.archs) / one_in))
    params = sorted(known.column("params"))
    if kind == "upper":
        return [Constraint("params", True, params[wanted - 1])]
    if kind == "lower":
        return [Constraint("params", False, params[-wanted])]
    rng = random.Random(2)
    if kind in BANDS:
        indices = [rng.randrange(len(known.archs)) for _ in range(5)]
        return _narrowest(known, [_box(known, index, BANDS[kind]) for index in indices], wanted)
    corners = [
        _corner(known, index, more)
        for index in rng.sample(range(len(known.archs)), min(200, len(known.archs)))
        for more in METRICS[:2]
    ]
    counted = [(abs(math.log(len(known.kept(corner)) / wanted)), corner) for corner in corners]
    return min(counted, key=lambda pair: pair[0])[1]


def _box(known: Known, index: int, metrics: Sequence[str]) -> Callable[[float], list[Constraint]]:
    """Return the bands of some metrics around a network, by their relative width."""
    cost = known.costs[index]

    def bands(width: float) -> list[Constraint]:
        return [
            Constraint(
                metric, upper, cost[metric] * (1 + width if upper else 1 / (1 + width)), is_measured=False
            )
            for metric in metrics
            for upper in (False, True)
        ]

    return bands


def _narrowest(
    known: Known, boxes: Sequence[Callable[[float], list[Constraint]]], wanted: int
) -> list[Constraint]:
    found = []
    for bands in boxes:
        low, high = 1e-9, 2.0
        for _ in range(25):
            middle = math.sqrt(low * high)
            # The network in the middle of the bands keeps them, however narrow they are.
            low, high = (middle, high) if len(known.kept(bands(middle))) <= wanted else (low, middle)
        found.append((len(known.kept(bands(high))), bands(high)))
    return min(found, key=lambda pair: pair[0])[1]


def _corner(known: Known, index: int, more: str) -> list[Constraint]:
    cost = known.costs[index]
    return [Constraint(metric, metric != more, cost[metric]) for metric in METRICS[:2]]


def propose(problem: Problem, strategy: Strategy, count: int) -> tuple[list[Trial], int]:
    """Return `count` trials that `strategy` proposes without any being scored, and the size of the first generation."""
    trials: list[Trial] = []
    first = generation = 0
    while len(trials) < count:
        values = {trial.arch.key: trial.evaluation.metrics["flops"] for trial in trials}
        ranked = sorted(
            trials, key=lambda trial: (trial.evaluation.violation or 0.0, -values[trial.arch.key])
        )
        history = History(trials=trials, ranked=ranked, values=values)
        wanted = min(strategy.generation_size, count - len(trials))
        asked = strategy.ask(problem, history, count=wanted, seed=derive_seed(0, "generation", generation))
        if not asked:
            break
        for arch in asked:
            broken = problem.violations(arch)
            trials.append(
                Trial(
                    index=len(trials),
                    generation=generation,
                    arch=arch,
                    evaluation=Evaluation(
                        state="infeasible" if broken else "scored",
                        reason="broken" if broken else "",
                        metrics=dict(problem.cost(arch)),
                        violation=sum(broken.values()),
                    ),
                )
            )
        first = first or len(trials)
        generation += 1
    return trials, first


def entropy_and_distance(
    first: Sequence[Architecture], second: Sequence[Architecture], space: SearchSpace
) -> tuple[float, float]:
    """Return the mean normalised entropy of the knobs of `first`, and their mean distance from those of `second`."""
    entropies, distances = [], []
    for knob in space.knobs():
        shares = [_shares(archs, knob.name) for archs in (first, second)]
        if len(knob.values) > 1 and all(shares):
            entropies.append(-sum(p * math.log(p) for p in shares[0].values()) / math.log(len(knob.values)))
            distances.append(
                sum(abs(shares[0].get(value, 0) - shares[1].get(value, 0)) for value in knob.values) / 2
            )
    count = max(1, len(entropies))
    return sum(entropies) / count, sum(distances) / count


def _shares(archs: Sequence[Architecture], knob: str) -> dict[Any, float]:
    counts = Counter(arch[knob] for arch in archs if knob in arch.values)
    return {value: count / counts.total() for value, count in counts.items()}


def measure(problem: Problem, known: Known, strategy: Strategy, count: int) -> dict[str, Any]:
    """Return the row of a strategy for a problem."""
    start = time.process_time()
    trials, first = propose(problem, strategy, count)
    seconds = time.process_time() - start
    feasible = [trial.arch for trial in trials if trial.is_scored]
    kept = known.kept(problem.constraints)
    row: dict[str, Any] = {
        "proposals": len(trials),
        "feasible": f"{len(feasible) / max(1, len(trials)):.3f}",
        "known": f"{len({arch.key for arch in kept})}/{len(kept)}/{len(known.archs)}",
        "ms": f"{1000 * seconds / max(1, len(trials)):.1f}",
        "entropy": "",
        "random entropy": "",
        "distance": "",
    }
    drawn = [trial.arch for trial in trials[:first] if trial.is_scored]
    if len(kept) >= LEAST_KEPT and drawn:
        own, distance = entropy_and_distance(drawn, kept, problem.space)
        other, _ = entropy_and_distance(kept, drawn, problem.space)
        row |= {"entropy": f"{own:.2f}", "random entropy": f"{other:.2f}", "distance": f"{distance:.2f}"}
    return row


def main() -> None:
    """Measure what is missing in the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spaces", nargs="+", metavar="SPACE")
    parser.add_argument("--table", type=Path, default=Path("feasible.csv"))
    parser.add_argument("--strategies", default="random,evolution")
    parser.add_argument("--kind", action="append", choices=KINDS, help="kind of bounds; may be repeated")
    parser.add_argument(
        "--model", default="", help="checkpoint of the spaces that have an option of this name"
    )
    parser.add_argument("--one-in", default=",".join(map(str, ONE_IN)))
    parser.add_argument("--proposals", type=int, default=500)
    parser.add_argument("--samples", type=int, default=20_000, help="random networks of a space")
    parser.add_argument("--seconds", type=float, default=60, help="CPU seconds for the random networks")
    options = parser.parse_args()
    registry = Registry.discover()
    rows: list[dict[str, Any]] = []
    if options.table.is_file():
        with options.table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    done = {(row["space"], row["strategy"], row["bounds"], row["1 in"]) for row in rows}
    for name in options.spaces:
        loaded: Any = registry.load("space", name.partition(":")[0])
        has_model = any(field.name == "model" for field in dataclasses.fields(loaded))
        given = {"model": options.model} if has_model and options.model else {}
        space: SearchSpace = registry.create("space", name, given)
        prediction = prediction_for(space)
        known: Known | None = None
        for kind in options.kind or KINDS:
            for one_in in options.one_in.split(","):
                for chosen in options.strategies.split(","):
                    if (name, chosen, kind, one_in) in done:
                        continue
                    known = known or sample(
                        Problem(space, prediction=prediction), options.samples, options.seconds
                    )
                    bounds = choose_bounds(kind, known, int(one_in))
                    problem = Problem(space, bounds, prediction=prediction if "latency" in kind else None)
                    strategy: Strategy = registry.create("strategy", chosen)
                    row = {"space": name, "strategy": chosen, "bounds": kind, "1 in": one_in}
                    row |= measure(problem, known, strategy, options.proposals)
                    rows.append(row)
                    write_table(options.table, rows)
                    print(*row.values(), flush=True)


if __name__ == "__main__":
    main()
