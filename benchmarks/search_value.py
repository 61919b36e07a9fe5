"""What a search is worth: its network against chance, against size, and against a network that a person would take.

    python benchmarks/search_value.py --space cv/vit:micro --set space.classes=10 --set space.image_size=32 \
        --data cifar-10-batches-py --constraint 'params<=0.5x' --budget 200 --set training.epochs=10 \
        --table value.csv --work value

For each seed: the best network of a search, five random networks within the same budgets, the largest network within
them, and a hand-designed one of as many parameters and operations as the budgets allow. All are trained alike, side by
side, one thread each. The table is written again after each training, and the same command goes on after a stop.

The searched network and the five random ones of a seed are a block. Under the hypothesis that the search is worth
nothing, the rank of the searched network in its block is uniform on 1 to 6; the sum of the ranks over the seeds gives
an exact one-sided p-value. The smallest value with three seeds is 1/216.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import itertools
import json
import random
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from budgets import problem_of
from comparing import denas, markdown, mean_and_range, settings, training_parser
from truth import write_table

from denas_core import Architecture, Registry, SearchSpace
from denas_core.contracts.climb import climb
from denas_core.contracts.executor import Demand
from denas_core.contracts.problem import Problem
from denas_core.contracts.task import Metric
from denas_core.evaluation.spread import opened, spread
from denas_core.racing.trainer import Trainer
from denas_core.setup.config import apply_settings
from denas_core.setup.tasks import choose_task
from denas_core.training.plan import Plan
from denas_core.training.settings import make_settings

KINDS = ("searched", "random", "largest", "hand-designed")
RANDOM = 5
CLIMBS = 8
"""Random starts from which the largest network is looked for."""


def random_networks(problem: Problem, seed: int) -> list[Architecture]:
    """Return distinct random networks that keep to the budgets."""
    rng = random.Random(1000 + seed)
    found: dict[str, Architecture] = {}
    while len(found) < RANDOM:
        arch = problem.space.sample(rng)
        if not problem.violations(arch):
            found[arch.key] = arch
    return [*found.values()]


def largest_network(problem: Problem, size: str) -> Architecture:
    """Return the largest network within the budgets that climbing from random ones finds, by parameters or FLOPs."""
    rng = random.Random(0)
    full = problem.space.full()
    starts = [*([full] if full and not problem.violations(full) else []), *feasible(problem, rng, CLIMBS)]
    ends = [climb(start, problem, lambda cost: cost[size]) for start in starts]
    return max(ends, key=lambda arch: problem.cost(arch)[size])


def feasible(problem: Problem, rng: random.Random, count: int) -> Iterator[Architecture]:
    """Yield random networks within the budgets."""
    while count:
        arch = problem.space.sample(rng)
        if not problem.violations(arch):
            count -= 1
            yield arch


@dataclasses.dataclass(frozen=True)
class Entry:
    """One training: what kind of network it is, its seed and its trainer."""

    kind: str
    seed: int
    arch: Architecture
    trainer: Trainer

    def row(self) -> dict[str, Any] | None:
        """Return its row of the table, or None if it has not been trained."""
        found = self.trainer.found(self.arch)
        if found is None:
            return None
        cost = self.trainer.plan.space.cost(self.arch)
        return {
            "kind": self.kind,
            "seed": self.seed,
            "arch": json.dumps(self.arch.as_dict()),
            "params": int(cost["params"]),
            "flops": int(cost["flops"]),
            **{name: f"{value:.5g}" for name, value in found.metrics.items()},
        }


def entries(options: argparse.Namespace, registry: Registry) -> list[Entry]:
    """Search, and return every training that is to be compared."""
    from architectures.hand_designed import hand_designed

    parts = apply_settings({"space": {}, "task": {}, "training": {}}, options.set)
    space: SearchSpace = registry.create("space", options.space, parts["space"])
    task = choose_task(registry, space, options.task, parts["task"], data=options.data)
    problem = problem_of(space, options.constraint)
    largest = largest_network(problem, options.largest)
    found = []
    for seed in range(options.seeds):
        best = space.parse((searched(options, seed) / "best.json").read_text())
        cost = space.cost(best)
        other, by_hand = hand_designed(space, params=cost["params"], flops=cost["flops"])
        networks = [
            ("searched", space, best),
            *(("random", space, arch) for arch in random_networks(problem, seed)),
            ("largest", space, largest),
            ("hand-designed", other, by_hand),
        ]
        for kind, of, arch in networks:
            plan = Plan(
                space=of,
                arch=arch,
                task=task,
                settings=make_settings(task.id, task.recipe, {**parts["training"], "seed": seed}),
                data=options.data.absolute(),
            )
            root = options.work / f"seed-{seed}" / ("hand-designed" if of is not space else "members")
            found.append(Entry(kind, seed, arch, Trainer(plan=plan, root=root, keeps_model=False)))
    return found


def searched(options: argparse.Namespace, seed: int) -> Path:
    """Return the run of a seed's search."""
    run: Path = options.work / f"search-{seed}"
    if not (run / "best.json").is_file():
        denas(
            *("search", options.space, "--seed", str(seed), "--budget", options.budget, "-o", str(run), "-q"),
            *settings([one for one in options.set if one.startswith("space.")]),
            *settings(options.search),
            *(part for text in options.constraint for part in ("--constraint", text)),
        )
    return run


def p_value(ranks: Sequence[int], size: int) -> float:
    """Return the probability that uniform ranks on 1 to `size`, one a block, have a sum as small as these."""
    sums = [sum(case) for case in itertools.product(range(1, size + 1), repeat=len(ranks))]
    return sum(total <= sum(ranks) for total in sums) / len(sums)


def summary(rows: Sequence[dict[str, Any]], metric: Metric) -> str:
    """Return the table of the kinds, and the ranks of the searched networks among the random ones."""
    lines = []
    for kind in KINDS:
        mine = [row for row in rows if row["kind"] == kind]
        if mine:
            lines.append(
                [
                    kind,
                    str(len(mine)),
                    f"{statistics.median(float(row['params']) for row in mine) / 1e3:.0f}k",
                    f"{statistics.median(float(row['flops']) for row in mine) / 1e6:.1f}",
                    mean_and_range([float(row[metric.name]) for row in mine]),
                ]
            )
    text = markdown(["network", "trainings", "params, median", "MFLOPs, median", metric.name], lines)
    ranks = []
    for seed in sorted({row["seed"] for row in rows}):
        block = [row for row in rows if row["seed"] == seed and row["kind"] in ("searched", "random")]
        mine = next((float(row[metric.name]) for row in block if row["kind"] == "searched"), None)
        if mine is not None and len(block) == RANDOM + 1:
            others = [float(row[metric.name]) for row in block if row["kind"] == "random"]
            # A tie counts against the search.
            ranks.append(1 + sum(not metric.is_better(mine, other) for other in others))
    if ranks:
        text += f"\n\nranks of the searched network among {RANDOM + 1}: {ranks}; p = {p_value(ranks, RANDOM + 1):.3f}"
    return text


def main() -> None:
    """Search, train and print."""
    parser = training_parser(__doc__)
    parser.add_argument(
        "--search", action="append", default=[], metavar="KEY=VALUE", help="settings of the search"
    )
    parser.add_argument("--budget", default="200", help="candidates of each search")
    parser.add_argument("--largest", default="params", choices=("params", "flops"))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    registry = Registry.discover()
    everything = entries(options, registry)
    metric = everything[0].trainer.plan.task.metric
    executor = registry.create(
        "executor", "builtin/process", {"workers": options.workers, "deadline": 1e6}, origin="--workers"
    )
    with opened(executor, Demand()) as running:
        for trainer in dict.fromkeys(entry.trainer.root for entry in everything):
            mine = [entry for entry in everything if entry.trainer.root == trainer]
            for arch, evaluation in spread(running, mine[0].trainer, [entry.arch for entry in mine]):
                if evaluation.reason:
                    print(f"{arch.key[:12]}: {evaluation.reason}", flush=True)
                rows = [row for entry in everything if (row := entry.row()) is not None]
                if rows:
                    write_table(options.table, rows)
    with options.table.open(encoding="utf-8", newline="") as file:
        print(summary(list(csv.DictReader(file)), metric))


if __name__ == "__main__":
    main()
