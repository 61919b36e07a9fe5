"""What ranks networks of equal size: correlations of scores with accuracy, given the number of parameters.

    denas evaluate-proxy --table benchmarks/truth/cv-cnn.csv --space cv/cnn --set space.classes=10 \
        --set space.image_size=16 --target short_accuracy --target long_accuracy \
        --scores de-score,naswot,participation,depth --seeds 2 --out evaluations/truth
    python benchmarks/equal_size.py evaluations/truth

Kendall's partial tau of a value x with accuracy y, given parameters p, is
(t_xy - t_xp t_yp) / sqrt((1 - t_xp^2) (1 - t_yp^2)), averaged over the targets of a table. The interval is a
bootstrap over the networks. The second number is tau over only those pairs whose parameters differ by at most a
quarter. Values are means over the seeds.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
COUNTS = ("flops", "depth x width")
WITHIN = 1.25
"""Ratio of parameters up to which a pair of networks counts as equal in size."""


def read_columns(directory: Path) -> tuple[dict[str, Values], Values, dict[str, Values]]:
    """Return the values of each score, the parameters and the accuracies of an evaluation."""
    with (directory / "networks.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    targets = json.loads((directory / "scores.json").read_text(encoding="utf-8"))["targets"]

    def column(name: str) -> Values:
        return np.array([float(row[name] or "nan") for row in rows])

    seeds: dict[str, list[Values]] = {}
    for name in rows[0]:
        score, _, seed = name.partition(":")
        if seed.isdigit() or name in COUNTS:
            seeds.setdefault(score, []).append(column(name))
    scores = {name: np.mean(found, axis=0) for name, found in seeds.items()}
    return scores, column("params"), {name: column(name) for name in targets}


def signs(values: Values) -> Values:
    """Return the sign of the difference of each pair."""
    return np.sign(values[:, None] - values[None, :])


def tau_b(first: Values, second: Values) -> float:
    """Return tau-b from the signs of pairs; NaN if one of them has only ties."""
    norm = math.sqrt(float((first * first).sum() * (second * second).sum()))
    return float((first * second).sum()) / norm if norm else math.nan


def partial_tau(x: Values, y: Values, p: Values) -> float:
    """Return Kendall's partial tau of x and y, given p."""
    of_x, of_y, of_p = signs(x), signs(y), signs(p)
    xy, xp, yp = tau_b(of_x, of_y), tau_b(of_x, of_p), tau_b(of_y, of_p)
    rest = (1 - xp**2) * (1 - yp**2)
    return (xy - xp * yp) / math.sqrt(rest) if rest > 1e-9 else math.nan


def tau_of_equal_pairs(x: Values, y: Values, p: Values) -> float:
    """Return tau-b over the pairs whose parameters differ by a factor of at most `WITHIN`."""
    size = np.log(p)
    close = np.abs(size[:, None] - size[None, :]) <= math.log(WITHIN)
    return tau_b(signs(x) * close, signs(y) * close)


def mean_partial(x: Values, p: Values, targets: Mapping[str, Values], of: NDArray[np.int64]) -> float:
    """Return the mean partial tau over the targets of these networks."""
    return float(np.mean([partial_tau(x[of], y[of], p[of]) for y in targets.values()]))


def main() -> None:
    """Print one table for each evaluation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "evaluations", nargs="+", type=Path, help="directories that evaluate-proxy has written"
    )
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    for directory in options.evaluations:
        scores, p, targets = read_columns(directory)
        rng = np.random.default_rng(0)
        draws = [rng.integers(0, len(p), len(p)) for _ in range(options.draws)]
        rows = []
        for name, x in scores.items():
            if not np.isfinite(x).all():
                continue
            value = mean_partial(x, p, targets, np.arange(len(p)))
            # It is not defined for a score that is constant, or that has the order of the parameters.
            if math.isfinite(value):
                low, high = np.nanpercentile([mean_partial(x, p, targets, of) for of in draws], [2.5, 97.5])
                equal = float(np.mean([tau_of_equal_pairs(x, y, p) for y in targets.values()]))
                rows.append((value, f"| `{name}` | {value:+.2f} [{low:+.2f}, {high:+.2f}] | {equal:+.2f} |"))
        print(f"\n{directory.name}: {len(p)} networks, {', '.join(targets)}\n")
        print("| score | partial tau, given parameters | tau of pairs of equal size |\n|---|---|---|")
        print("\n".join(line for _, line in sorted(rows, reverse=True)))


if __name__ == "__main__":
    main()
