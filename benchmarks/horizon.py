"""Whether the length of training decides how much gain a network should have: rules with and without a horizon.

    python benchmarks/horizon.py --table benchmarks/truth/cv-cnn.csv --space cv/cnn --set space.image_size=16 \
        --target short_accuracy=5x5000 --target long_accuracy=30x5000 --loss long_train_loss=30x5000 --out horizon

The table has trained networks, as for ``denas evaluate-proxy``, and each target its horizon H: epochs times samples.
Kendall's tau-b of each rule with each target, with 95 % intervals by bootstrap over the networks:

- default: the ensemble of the DE-Score, its values averaged over the seeds;
- R1, R3: the same with one more component of weight 1 or 3, the excess max(0, log(g / g*)), smaller is better, with g
  the gain of ``scores/gain`` and the target gain g* = 6 (H / 10,000)^(1/3);
- Rlex: networks without excess in the order of the default, then those with excess, by excess;
- gain, -gain, params, flops, and depth, the number of matrices and kernels.

Scores are kept in the directory of ``--out``, so the same command goes on where it was stopped, or with more networks.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from comparing import markdown
from truth import depth

from denas_core import Registry, SearchSpace
from denas_core.agreement.evaluate import Request, Result, evaluate_scores
from denas_core.agreement.statistics import draw_resamples, interval, kendall_taus
from denas_core.agreement.table import AccuracyTable, read_table
from denas_core.setup.config import apply_settings
from denas_core.values.ranking import average_ranks

Floats = npt.NDArray[np.float64]

GAIN_AT_UNIT, UNIT, EXPONENT = 6.0, 1e4, 1 / 3
"""The constants of the target gain, which were written down before any of these correlations was computed."""


def horizon(text: str) -> float:
    """Return a number of samples: ``60000``, or ``12x5000`` for 12 epochs of 5,000 samples."""
    epochs, _, samples = text.partition("x")
    return float(epochs) * float(samples or 1)


def target_gain(samples: float, exponent: float) -> float:
    """Return g* = 6 (H / 10,000)^exponent."""
    return float(GAIN_AT_UNIT * (samples / UNIT) ** exponent)


def excess(log_gain: Floats, target: float) -> Floats:
    """Return max(0, log(g / g*)); infinite for a network without a gain."""
    above: Floats = np.where(np.isfinite(log_gain), np.maximum(0.0, log_gain - np.log(target)), np.inf)
    return above


def with_excess(default: Floats, above: Floats, weight: float) -> Floats:
    """Return the log-rank sum with one more component."""
    total: Floats = default + weight * np.log(average_ranks(-above) / len(above))
    return total


def lexicographic(default: Floats, above: Floats) -> Floats:
    """Return ranks of the default without excess, and below all of them those with excess."""
    order = np.lexsort((average_ranks(default), -above))
    places: Floats = np.empty(len(order))
    places[order] = np.arange(len(order))
    # Equal networks must stay equal.
    pairs = np.stack([np.where(above > 0, -np.inf, default), -above])
    _, inverse = np.unique(pairs, axis=1, return_inverse=True)
    means = np.bincount(inverse.ravel(), places) / np.bincount(inverse.ravel())
    ranks: Floats = means[inverse.ravel()]
    return ranks


def rules(columns: Mapping[str, Floats], goal: float) -> dict[str, Floats]:
    """Return the value of each network by each rule; larger is better."""
    default, gain = columns["default"], columns["gain"]
    above = excess(gain, goal)
    return {
        "default": default,
        "R1": with_excess(default, above, 1.0),
        "R3": with_excess(default, above, 3.0),
        "Rlex": lexicographic(default, above),
        "gain": gain,
        "-gain": np.where(np.isfinite(gain), -gain, -np.inf),
        **{name: columns[name] for name in ("params", "flops", "depth")},
    }


def columns_of(result: Result) -> dict[str, Floats]:
    """Return scores, averaged over the seeds, and counts, with a value for each row of the table."""
    networks = result.table.architectures()
    place = {arch.key: number for number, arch in enumerate(networks)}
    rows = [place[row.arch.key] for row in result.table.rows]
    found = {one.label: np.mean([*one.by_seed], axis=0) for one in result.values}
    found["depth"] = np.array([float(depth(result.space, arch)) for arch in networks])
    found["default"] = found["de-score"]
    return {name: np.asarray(values)[rows] for name, values in found.items()}


def compare(
    columns: Mapping[str, Floats], targets: Mapping[str, Floats], goals: Mapping[str, float]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return tau by rule, and its difference from that of the default, each with intervals, one for each target."""
    count = len(columns["default"])
    weights = draw_resamples(range(count))
    taus: dict[str, list[str]] = {}
    differences: dict[str, list[str]] = {}
    for name, target in targets.items():
        found = {
            rule: kendall_taus(values, target, weights)
            for rule, values in rules(columns, goals[name]).items()
        }
        for rule, each in found.items():
            taus.setdefault(rule, []).append(with_interval(each))
            differences.setdefault(rule, []).append(with_interval(each - found["default"], form="+.3f"))
    return taus, differences


def with_interval(resampled: Floats, form: str = ".3f") -> str:
    """Return the value of the table itself, which comes first, and the interval of the resamples."""
    ends = interval(resampled[1:])
    return f"{resampled[0]:{form}}" + (f" [{ends[0]:{form}}, {ends[1]:{form}}]" if ends else "")


def describe(columns: Mapping[str, Floats], goals: Mapping[str, float]) -> str:
    """Return how many networks there are, their gains, and how many are above the target gain of each target."""
    gain = columns["gain"]
    known = np.isfinite(gain)
    low, middle, high = np.exp(np.percentile(gain[known], [5, 50, 95]))
    counts = [
        f"{name}: g* = {goal:.1f}, {(excess(gain[known], goal) > 0).sum()} above"
        for name, goal in goals.items()
    ]
    return (
        f"{len(gain)} networks, {(~known).sum()} without a gain; gain 5 %, median, 95 %: {low:.1f}, {middle:.1f}, "
        f"{high:.1f}; {'; '.join(counts)}"
    )


def main() -> None:
    """Score what has no stored score, compare and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--space", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="space.KEY=VALUE")
    parser.add_argument("--target", action="append", default=[], metavar="COLUMN=HORIZON")
    parser.add_argument(
        "--loss", action="append", default=[], metavar="COLUMN=HORIZON", help="smaller is better"
    )
    parser.add_argument(
        "--exponent", type=float, default=EXPONENT, help="of the target gain, in place of 1/3"
    )
    parser.add_argument("--networks", type=int, help="random networks of the table; by default all")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True, help="directory of the scores")
    options = parser.parse_args()
    signs = {text.partition("=")[0]: 1.0 for text in options.target}
    signs |= {text.partition("=")[0]: -1.0 for text in options.loss}
    goals = {
        name: target_gain(horizon(samples), options.exponent)
        for name, _, samples in (text.partition("=") for text in (*options.target, *options.loss))
    }

    def table(space: SearchSpace) -> AccuracyTable:
        return read_table(options.table, space, targets=[*signs])

    request = Request(
        space=options.space,
        scores=("de-score", "gain"),
        options=apply_settings({"space": {}}, options.set),
        seeds=options.seeds,
        networks=options.networks,
        executor="builtin/serial",
        out=options.out,
    )
    result = evaluate_scores(request, table, registry=Registry.discover())
    targets = {
        name: np.array([sign * row.targets[name] for row in result.table.rows])
        for name, sign in signs.items()
    }
    columns = columns_of(result)
    taus, differences = compare(columns, targets, goals)
    print(describe(columns, goals), end="\n\n")
    print(markdown(["tau-b", *targets], [[rule, *cells] for rule, cells in taus.items()]), end="\n\n")
    chosen = [[rule, *differences[rule]] for rule in ("R1", "R3", "Rlex")]
    print(markdown(["less default", *targets], chosen))


if __name__ == "__main__":
    main()
