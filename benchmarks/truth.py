"""The truth of a space of ours: networks of it trained in several regimes, as a table that scores are compared with.

    python benchmarks/truth.py --space cv/cnn:micro --set space.image_size=16 --data cifar-10-batches-py --networks 60 \
        --regime short:epochs=6 --regime long:epochs=30 --table benchmarks/truth/cv-cnn-micro.csv --work truth

Draws random networks within the budgets, chooses among them evenly by size and by depth, and trains each in every
regime. Trainings run side by side, one thread each. A row is added to the table when a network has all regimes, and a
network that is in the table is not trained again, so the script can be stopped at any time, and the same command goes
on. A table with fewer networks than asked for is a random part of the whole one.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import random
from collections.abc import Mapping
from typing import Any

from budgets import problem_of
from comparing import training_parser
from rows import add_row, rows_of

from denas_core import Architecture, Registry, SearchSpace
from denas_core.contracts.executor import Demand
from denas_core.contracts.problem import Problem
from denas_core.evaluation.spread import opened, spread
from denas_core.racing.stratified import stratified
from denas_core.racing.trainer import Trainer
from denas_core.setup.config import apply_settings
from denas_core.setup.tasks import choose_task
from denas_core.training.plan import Plan
from denas_core.training.settings import make_settings
from denas_core.values.trial import Evaluation

DRAWN = 600
"""Random networks within the budgets among which the trained ones are chosen; fewer if a space has no more."""

FRUITLESS = 5000
"""Draws in a row without another network within the budgets, after which a space is taken to have no more."""


def depth(space: SearchSpace, arch: Architecture) -> int:
    """Return the number of weight matrices of a network."""
    import torch

    with torch.device("meta"):
        model = space.build(arch)
    return sum(weight.dim() > 1 for weight in model.parameters())


def chosen_networks(problem: Problem, count: int) -> list[Architecture]:
    """Return `count` random networks within the budgets that cover sizes and depths, in random order."""
    rng = random.Random(0)
    drawn: dict[str, Architecture] = {}
    fruitless = 0
    while len(drawn) < DRAWN and fruitless < FRUITLESS:
        arch = problem.space.sample(rng)
        fruitless += 1
        if arch.key not in drawn and not problem.violations(arch):
            drawn[arch.key] = arch
            fruitless = 0
    if len(drawn) < count:
        raise SystemExit(f"only {len(drawn)} networks within the budgets were found, not {count}")
    networks = [*drawn.values()]
    depths = {arch.key: depth(problem.space, arch) for arch in networks}
    sizes = {arch.key: problem.space.cost(arch)["params"] for arch in networks}
    chosen = stratified(
        networks, count, band=lambda arch: sizes[arch.key], rank=lambda arch: depths[arch.key]
    )
    rng.shuffle(chosen)
    return chosen


def trainers(
    options: argparse.Namespace, space: SearchSpace, arch: Architecture, registry: Registry
) -> dict[str, Trainer]:
    """Return a trainer for each regime, whose settings replace those of the task's recipe."""
    parts = apply_settings({"task": {}, "training": {}, "space": {}}, options.set)
    task = choose_task(registry, space, options.task, parts["task"], data=options.data)
    made = {}
    for regime in options.regime:
        name, _, settings = regime.partition(":")
        given = apply_settings(
            {"training": parts["training"]}, [f"training.{one}" for one in settings.split(",")]
        )
        plan = Plan(
            space=space,
            arch=arch,
            task=task,
            settings=make_settings(task.id, task.recipe, given["training"]),
            data=options.data.absolute(),
        )
        made[name] = Trainer(plan=plan, root=options.work / name, keeps_model=False)
    return made


def row(space: SearchSpace, arch: Architecture, regimes: Mapping[str, Trainer]) -> dict[str, Any] | None:
    """Return the row of a network, or None if it has not been trained in each regime."""
    found: dict[str, Evaluation] = {}
    for name, trainer in regimes.items():
        evaluation = trainer.found(arch)
        if evaluation is None:
            return None
        found[name] = evaluation
    cost = space.cost(arch)
    return {
        "arch": json.dumps(arch.as_dict()),
        "params": int(cost["params"]),
        "flops": int(cost["flops"]),
        "depth": depth(space, arch),
        **{
            f"{name}_{metric}": f"{value:.5g}"
            for name, evaluation in found.items()
            for metric, value in evaluation.metrics.items()
        },
    }


@dataclasses.dataclass(frozen=True)
class InRegimes:
    """Trains a network in one regime after the other. It can be pickled."""

    regimes: Mapping[str, Trainer]

    def __call__(self, arch: Architecture) -> Evaluation:
        """Return the evaluation of the last regime, or of the first one that fails."""
        evaluation = None
        for trainer in self.regimes.values():
            evaluation = trainer(arch)
            if evaluation.state != "scored":
                break
        assert evaluation is not None
        return evaluation


def main() -> None:
    """Choose, train and write."""
    parser = training_parser(__doc__)
    parser.add_argument("--networks", type=int, default=60)
    parser.add_argument(
        "--regime", action="append", required=True, metavar="NAME:KEY=VALUE,...", help="settings of training"
    )
    options = parser.parse_args()
    registry = Registry.discover()
    space: SearchSpace = registry.create(
        "space",
        options.space,
        apply_settings({"space": {}, "task": {}, "training": {}}, options.set)["space"],
    )
    problem = problem_of(space, options.constraint)
    known = {row["arch"] for row in rows_of(options.table)}
    networks = [
        arch for arch in chosen_networks(problem, options.networks) if json.dumps(arch.as_dict()) not in known
    ]
    if not networks:
        return
    regimes = trainers(options, space, networks[0], registry)
    executor = registry.create(
        "executor", "builtin/process", {"workers": options.workers, "deadline": 1e6}, origin="--workers"
    )
    numbers = itertools.count(1)
    with opened(executor, Demand()) as running:
        for arch, evaluation in spread(running, InRegimes(regimes), networks):
            print(next(numbers), len(networks), arch.key[:12], evaluation.reason, flush=True)
            if (found := row(space, arch, regimes)) is not None:
                add_row(options.table, list(found), found)


if __name__ == "__main__":
    main()
