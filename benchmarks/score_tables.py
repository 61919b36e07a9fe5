"""How well scores predict the accuracies of a table of trained networks.

    python benchmarks/score_tables.py --table accuracy.csv --space bench/nasbench201 --target cifar100_test_200 \\
        --scores de-score --networks 100 --seeds 3 --out scores.csv

Scores a sample of the networks under several seeds, and writes a row for each network and seed: every component, with
the counts that a score has to beat beside them. What is in the file already is not scored again, and a larger sample
contains the smaller ones, so a run that was stopped, or asked for more, goes on where it was. Then prints Kendall's
tau-b and Spearman's rho of each column, each combined score and each recipe with each target. Values are averaged over
the seeds: ranks for a column, sums of log-ranks for a combination.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import itertools
import math
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from comparing import markdown

from denas_bench.tables.table import AccuracyTable, Row, read_table
from denas_core import Candidate, CombinedScore, ProxyScore, Registry, SearchSpace
from denas_core.errors import DenasError, ScoreFailed
from denas_core.evaluation.scoring import Scoring
from denas_core.values.number import coerce_score
from denas_core.values.ranking import average_ranks, log_rank_sum
from denas_core.values.table import Table

COUNTS = ("params", "flops", "depth_width")
BOOTSTRAPS = 1000
BANDS = 4


@dataclasses.dataclass(frozen=True)
class Combination:
    """Columns that become one value by the sum of their log-ranks."""

    name: str
    weights: Mapping[str, float]


def depth_times_width(space: SearchSpace, row: Row) -> float:
    """Return the layers that give features, times the geometric mean of the features that they give."""
    with torch.device("meta"):
        model = space.build(row.arch)
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    inner = ("conv", "ffn", "attention.out")
    widths = [
        view.of(torch.empty(shapes[view.parameter], device="meta")).shape[0]
        for view in space.views(model)
        if any(view.has_role(role) for role in inner)
    ]
    return len(widths) * math.exp(sum(map(math.log, widths)) / len(widths)) if widths else 0.0


def score(space: SearchSpace, row: Row, seed: int, scores: Mapping[str, ProxyScore]) -> dict[str, Any]:
    """Return the values of one network under one seed; a score that fails has none, and its reason is named."""
    start = time.process_time()
    passes = [spec for component in scores.values() for spec in component.passes()]
    candidate = Candidate(space, row.arch, seed=seed, passes=passes)
    values: dict[str, Any] = {}
    failed: list[str] = []
    for name, component in scores.items():
        try:
            values[name] = coerce_score(component.measure(candidate))
        except ScoreFailed as error:
            failed.append(f"{name}: {error}")
    return {**values, "seconds": time.process_time() - start, "failed": "; ".join(failed)}


def read_done(path: Path, columns: Sequence[str]) -> dict[tuple[str, int], dict[str, str]]:
    """Return the rows that are in a file already, by key and seed.

    Raises:
        SystemExit: the file is one of other scores.
    """
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if list(reader.fieldnames or ()) != list(columns):
            raise SystemExit(
                f"{path} has the columns {', '.join(reader.fieldnames or ())}; give another --out"
            )
        return {(row["key"], int(row["seed"])): row for row in reader if row["failed"] is not None}


def tau_b(first: np.ndarray, second: np.ndarray) -> float:
    """Return Kendall's tau-b from the signs of the differences of all pairs."""
    untied = float(np.count_nonzero(first)) * float(np.count_nonzero(second))
    return float((first * second).sum(dtype=np.float64)) / math.sqrt(untied) if untied else math.nan


def signs(values: np.ndarray) -> np.ndarray:
    """Return 1, 0 or -1 for each pair of values."""
    return (values[:, None] > values[None, :]).astype(np.int8) - (values[:, None] < values[None, :])


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rho; ties share their mean rank."""
    return float(np.corrcoef(average_ranks(first), average_ranks(second))[0, 1])


def with_interval(first: np.ndarray, second: np.ndarray) -> tuple[str, str]:
    """Return tau-b and rho as text with 95 % bootstrap intervals, over resampled networks."""
    a, b = signs(first), signs(second)
    generator = np.random.default_rng(0)
    draws = [generator.integers(0, len(first), len(first)) for _ in range(BOOTSTRAPS)]
    taus = [tau_b(a[np.ix_(draw, draw)], b[np.ix_(draw, draw)]) for draw in draws]
    rhos = [spearman(first[draw], second[draw]) for draw in draws]
    values = ((tau_b(a, b), taus), (spearman(first, second), rhos))
    texts = [
        f"{value:.3f} [{np.nanpercentile(found, 2.5):.3f}, {np.nanpercentile(found, 97.5):.3f}]"
        for value, found in values
    ]
    return texts[0], texts[1]


def within_bands(values: np.ndarray, target: np.ndarray, size: np.ndarray) -> float:
    """Return the mean tau-b within quarters of the networks by their parameters."""
    bands = np.array_split(np.argsort(size, kind="stable"), BANDS)
    return float(np.nanmean([tau_b(signs(values[band]), signs(target[band])) for band in bands]))


def regret(values: np.ndarray, target: np.ndarray, share: float = 0.05) -> float:
    """Return how far the best of the top twentieth by value is below the best of all."""
    top = np.argsort(-values, kind="stable")[: max(1, round(share * len(values)))]
    return float(target.max() - target[top].max())


def recipes(texts: Sequence[str], known: Sequence[str]) -> list[Combination]:
    """Return combinations that are written as ``name=first,2*second``."""
    found = []
    for text in texts:
        name, _, terms = text.partition("=")
        pairs = [term.rpartition("*")[::2] for term in terms.split(",")]
        weights = {column: float(weight or 1) for weight, column in pairs}
        if unknown := [column for column in weights if column not in known]:
            raise SystemExit(f"recipe {name!r} names {unknown[0]!r}; choose from {', '.join(known)}")
        found.append(Combination(name, weights))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", required=True, help="CSV or JSON file of trained networks")
    parser.add_argument("--space", required=True, help="space of the networks, such as bench/autoformer:tiny")
    parser.add_argument(
        "--set", action="append", default=[], help="an option of the space, such as image_size=64"
    )
    parser.add_argument(
        "--target", action="append", required=True, help="column of accuracies; may be given again"
    )
    parser.add_argument("--scores", default="de-score", help="scores, separated by commas")
    parser.add_argument(
        "--weights", default="", help="components of combined scores: saliency=1,complexity=0"
    )
    parser.add_argument(
        "--recipe", action="append", default=[], help="columns to combine: name=flops,2*saliency"
    )
    parser.add_argument("--networks", type=int, default=0, help="rows of the table; 0: all")
    parser.add_argument("--seeds", type=int, default=1, help="initialisations of each network")
    parser.add_argument("--out", required=True, help="CSV file of scores; goes on where it was")
    arguments = parser.parse_args()
    try:
        run(arguments)
    except DenasError as error:
        raise SystemExit(f"error: {error}") from error


def run(arguments: argparse.Namespace) -> None:
    registry = Registry.discover()
    options = dict(setting.split("=", 1) for setting in arguments.set)
    space = registry.create("space", arguments.space, options)
    table = read_table(arguments.table, space, targets=arguments.target)
    scores, combined = components(registry, space, arguments)
    rows = list(table.rows)
    random.Random(0).shuffle(rows)
    rows = rows[: arguments.networks or len(rows)]
    columns = ["origin", "key", "seed", *scores, *COUNTS, "seconds", "failed"]
    out = Path(arguments.out)
    done = read_done(out, columns)
    counts: dict[str, dict[str, float]] = {}
    with out.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        if out.stat().st_size == 0:
            writer.writeheader()
        for row, seed in itertools.product(rows, range(arguments.seeds)):
            mark = (row.arch.key, seed)
            if mark in done:
                continue
            if row.arch.key not in counts:
                cost = space.cost(row.arch)
                counts[row.arch.key] = {
                    "params": cost["params"],
                    "flops": cost["flops"],
                    "depth_width": depth_times_width(space, row),
                }
            entry = {
                **{"origin": row.origin, "key": row.arch.key, "seed": seed},
                **counts[row.arch.key],
                **score(space, row, seed, scores),
            }
            writer.writerow(entry)
            file.flush()
            done[mark] = {name: str(value) for name, value in entry.items()}
    known = [*scores, *COUNTS]
    report(table, rows, done, scores, [*combined, *recipes(arguments.recipe, known)], arguments.seeds)


def components(
    registry: Registry, space: SearchSpace, arguments: argparse.Namespace
) -> tuple[dict[str, ProxyScore], list[Combination]]:
    """Return the scores to measure by column, and the combined scores."""
    pairs = (pair.split("=") for pair in filter(None, arguments.weights.split(",")))
    weights = {name: float(weight) for name, weight in pairs}
    scores: dict[str, ProxyScore] = {}
    combined = []
    for name in arguments.scores.split(","):
        made = registry.create("score", name, {"weights": weights} if weights and name == "de-score" else {})
        scoring = Scoring(made, space, lambda name: registry.create("score", name))
        for notice in scoring.notices:
            print(f"note: {notice}")
        scores |= scoring.components
        if isinstance(made, CombinedScore):
            combined.append(Combination(name, scoring.weights))
    # Counts are always there.
    return {name: score for name, score in scores.items() if name not in COUNTS}, combined


def report(
    table: AccuracyTable,
    rows: Sequence[Row],
    done: Mapping[tuple[str, int], Mapping[str, str]],
    scores: Mapping[str, ProxyScore],
    combinations: Sequence[Combination],
    seeds: int,
) -> None:
    """Print the correlations of everything with every target."""
    directions = {name: score.direction for name, score in scores.items()}
    columns = [*scores, *COUNTS]

    def column(name: str, seed: int) -> list[float | None]:
        entries = (done[row.arch.key, seed].get(name, "") for row in rows)
        return [float(entry) if entry else None for entry in entries]

    def goodness(weights: Mapping[str, float], seed: int) -> np.ndarray:
        ways = {name: directions.get(name, "maximize") for name in weights}
        return np.array(
            log_rank_sum(
                Table(
                    columns={name: column(name, seed) for name in weights}, weights=weights, directions=ways
                )
            )
        )

    things = [*combinations, *(Combination(name, {name: 1.0}) for name in columns)]
    each_seed = {thing.name: [goodness(thing.weights, seed) for seed in range(seeds)] for thing in things}
    size = np.array([value or 0.0 for value in column("params", 0)])
    for target in table.targets:
        truth = np.array([row.targets[target] for row in rows])
        lines = []
        for name, found in each_seed.items():
            # A single column is averaged by rank, so that one seed's outliers do not decide.
            single = name in columns
            values = np.mean([average_ranks(one) if single else one for one in found], axis=0)
            tau, rho = with_interval(values, truth)
            pairs = [tau_b(signs(a), signs(b)) for a, b in itertools.combinations(found, 2)]
            lines.append(
                [
                    name,
                    tau,
                    rho,
                    f"{np.mean(pairs):.3f}" if pairs else "-",
                    f"{within_bands(values, truth, size):.3f}",
                    f"{regret(values, truth):.2f}",
                    str(len(values) - len(set(values.tolist()))),
                ]
            )
        heads = [
            "score",
            "tau-b",
            "rho",
            "between seeds",
            f"tau in {BANDS} bands of size",
            "regret of top 5 %",
            "ties",
        ]
        print(f"\n{table.name}, {target}: {len(rows)} networks, {seeds} seeds\n")
        print(markdown(heads, lines))
    marks = {(row.arch.key, seed) for row in rows for seed in range(seeds)}
    seconds = sorted(float(done[mark]["seconds"]) for mark in marks)
    failed = [
        f"{mark[0]} seed {mark[1]}: {done[mark]['failed']}" for mark in sorted(marks) if done[mark]["failed"]
    ]
    print(
        f"\nCPU seconds a network and seed: median {seconds[len(seconds) // 2]:.2f}, all {sum(seconds):.0f}"
    )
    print(f"{len(failed)} of {len(marks)} failed", *failed[:5], sep="\n  ")


if __name__ == "__main__":
    main()
