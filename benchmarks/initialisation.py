"""Whether residual bodies that begin at zero train better: the same networks with and without, in several regimes.

    python benchmarks/initialisation.py --space cv/cnn:micro --set space.image_size=16 --data cifar-10-batches-py \
        --networks 6 --regime short:epochs=6 --regime long:epochs=30 --table starts.csv --work starts

Chooses random networks evenly by size and depth, and trains each of them twice in every regime: as the space
initialises it, and with ``training.zero_residuals``. Prints the paired differences. The table is written again after
each network, so the script can be stopped at any time, and the same command goes on.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
from collections.abc import Mapping, Sequence

from budgets import problem_of
from comparing import markdown, training_parser
from truth import InRegimes, chosen_networks, row, trainers, write_table

from denas_core import Registry, SearchSpace
from denas_core.contracts.executor import Demand
from denas_core.evaluation.spread import opened, spread
from denas_core.setup.config import apply_settings

ZERO = "_zero"
"""End of the name of a regime in which residual bodies begin at zero."""


def with_both_starts(regimes: Sequence[str]) -> list[str]:
    """Return each regime with residual bodies as the space initialises them, and with such that begin at zero."""
    both = []
    for regime in regimes:
        name, _, settings = regime.partition(":")
        both += [f"{regime},zero_residuals=false", f"{name}{ZERO}:{settings},zero_residuals=true"]
    return both


def comparison(rows: Sequence[Mapping[str, str]], regimes: Sequence[str], metric: str) -> str:
    """Return the means of a metric with both starts, and the paired difference with its standard error, as a table."""
    lines = []
    for regime in regimes:
        drawn, zero = ([float(row[f"{name}_{metric}"]) for row in rows] for name in (regime, regime + ZERO))
        gains = [after - before for before, after in zip(drawn, zero, strict=True)]
        error = statistics.stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else math.nan
        higher = sum(gain > 0 for gain in gains)
        lines.append(
            [
                regime,
                f"{statistics.fmean(drawn):.3f}",
                f"{statistics.fmean(zero):.3f}",
                f"{statistics.fmean(gains):+.3f} +- {error:.3f}",
                f"{min(gains):+.3f} to {max(gains):+.3f}",
                f"{higher} of {len(gains)}",
            ]
        )
    heads = ["regime", f"{metric} as drawn", "from zero", "difference, standard error", "range", "higher"]
    return markdown(heads, lines)


def main() -> None:
    """Choose, train, write and print."""
    options = _arguments()
    names = [regime.partition(":")[0] for regime in options.regime]
    options.regime = with_both_starts(options.regime)
    registry = Registry.discover()
    parts = apply_settings({"space": {}, "task": {}, "training": {}}, options.set)
    space: SearchSpace = registry.create("space", options.space, parts["space"])
    problem = problem_of(space, options.constraint)
    networks = chosen_networks(problem, options.networks)
    regimes = trainers(options, space, networks[0], registry)
    executor = registry.create(
        "executor", "builtin/process", {"workers": options.workers, "deadline": 1e6}, origin="--workers"
    )
    with opened(executor, Demand()) as running:
        for arch, evaluation in spread(running, InRegimes(regimes), networks):
            if evaluation.state != "scored":
                print(f"{arch.key[:12]} failed: {evaluation.reason}", flush=True)
            found = [each for one in networks if (each := row(space, one, regimes)) is not None]
            if found:
                write_table(options.table, found)
    with options.table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for metric in options.metric:
        print(comparison(rows, names, metric), end="\n\n")


def _arguments() -> argparse.Namespace:
    parser = training_parser(__doc__)
    parser.add_argument("--networks", type=int, default=6)
    parser.add_argument(
        "--regime", action="append", required=True, metavar="NAME:KEY=VALUE,...", help="settings of training"
    )
    parser.add_argument("--metric", nargs="+", default=["accuracy", "train_loss"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
