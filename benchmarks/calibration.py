"""What `denas calibrate` gains or loses: weights fitted to 12 networks of a public table, measured on the others.

    python benchmarks/calibration.py nasbench201 accuracy.csv cifar100_test_200 evaluations/nasbench201 \
        --space bench/nasbench201:cifar100

The component values are those that ``denas evaluate-proxy --scores de-score`` has stored in the directory of an
evaluation. Each draw takes half of the networks as a run, chooses the trained ones among them as the command does, fits
weights, and compares tau-b of both weights over all networks that were not trained.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from denas_core import Registry, SearchSpace
from denas_core.agreement.calibration import calibrate
from denas_core.agreement.columns import make_scores
from denas_core.agreement.measured import Measured
from denas_core.agreement.table import read_table
from denas_core.racing.stratified import stratified
from denas_core.runs.store import Store
from denas_core.values.ranking import average_ranks, kendall_tau


def read_measured(directory: Path, seed: int) -> dict[str, Measured]:
    """Return the stored values of one seed by key of the architecture."""
    found: dict[str, Measured] = {}
    for path in sorted(directory.glob(f"seed-{seed}*.db")):
        store = Store.read(path)
        for trial in store.trials():
            found.setdefault(trial.arch.key, Measured()).add(trial.evaluation)
        store.close()
    return found


def log_ranks(values: Sequence[float]) -> list[float]:
    """Return the logarithm of each rank relative to the best one."""
    return [float(value) for value in np.log(average_ranks(np.array(values)) / len(values))]


def main() -> None:
    """Print one line for the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name")
    parser.add_argument("table", type=Path)
    parser.add_argument("target")
    parser.add_argument("evaluation", type=Path, help="directory of an evaluation with stored values")
    parser.add_argument("--space", required=True)
    parser.add_argument("--score", default="de-score")
    parser.add_argument("--train", type=int, default=12)
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="seed of the component values")
    options = parser.parse_args()
    registry = Registry.discover()
    space: SearchSpace = registry.create("space", options.space)
    table = read_table(options.table, space, targets=[options.target])
    (score,) = make_scores(registry, space, [options.score], settings={})
    measured = read_measured(options.evaluation, options.seed)
    truth = {row.arch.key: row.targets[options.target] for row in table.rows}
    keys = [
        key
        for key in dict.fromkeys(truth)
        if key in measured and all(column in measured[key].values for column in score.columns.values())
    ]
    directions = {name: score.scoring.components[name].direction for name in score.columns}
    columns = {
        name: log_ranks(
            [measured[key].values[column] * (1 if directions[name] == "maximize" else -1) for key in keys]
        )
        for name, column in score.columns.items()
    }
    weights = dict(score.scoring.weights)
    sizes = [measured[key].metrics["params"] for key in keys]
    print(json.dumps(compare(columns, [truth[key] for key in keys], weights, sizes, options)))


def compare(
    columns: Mapping[str, Sequence[float]],
    truth: Sequence[float],
    weights: Mapping[str, float],
    sizes: Sequence[float],
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Return what was gained over all draws, by those that were accepted, and how many were refused."""
    matrix = np.array([columns[name] for name in weights]).T
    before = matrix @ np.array([*weights.values()])
    gains, accepted, taus = [], [], []
    for draw in range(options.draws):
        rng = random.Random(draw)
        run = rng.sample(range(len(truth)), len(truth) // 2)
        chosen = stratified(
            run, options.train, band=lambda place: sizes[place], rank=lambda place: before[place]
        )
        rest = [place for place in range(len(truth)) if place not in set(chosen)]
        fitted = calibrate(
            {name: [column[place] for place in chosen] for name, column in columns.items()},
            [truth[place] for place in chosen],
            weights,
        )
        after = matrix @ np.array([fitted.weights[name] for name in weights])
        target = [truth[place] for place in rest]
        old = kendall_tau(before[rest].tolist(), target) or 0.0
        new = kendall_tau(after[rest].tolist(), target) or 0.0
        taus.append(old)
        gains.append(new - old)
        if fitted.is_better:
            accepted.append(new - old)
    return {
        "name": options.name,
        "target": options.target,
        "networks": len(truth),
        "trained": options.train,
        "default": round(statistics.fmean(taus), 3),
        "gain_of_all": round(statistics.fmean(gains), 3),
        "refused": options.draws - len(accepted),
        "gain_of_accepted": round(statistics.fmean(accepted), 3) if accepted else None,
        "accepted_that_lose": sum(gain < 0 for gain in accepted),
        "worst": round(min(accepted), 3) if accepted else None,
        "best": round(max(accepted), 3) if accepted else None,
    }


if __name__ == "__main__":
    main()
