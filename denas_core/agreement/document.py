"""The results of an evaluation as a document: all numbers in the printed table, the page and the files."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from denas_core.contracts.space import SearchSpace
from denas_core.values.ranking import kendall_tau

from .statistics import (
    Floats,
    draw_resamples,
    finite,
    interval,
    kendall_taus,
    regret,
    spearman_rhos,
    taus_within_bands,
    tied_rows,
    top_count,
)
from .table import AccuracyTable
from .values import ScoreValues


def describe_scores(
    table: AccuracyTable, scores: Sequence[ScoreValues], *, baseline: str, smaller_is_better: bool
) -> list[dict[str, Any]]:
    """Return an entry for each target and score, as JSON can represent it. The best score of a target comes first.

    Args:
        table: The trained networks.
        scores: Values of each score and count for the distinct networks of the table, in the order of the table.
        baseline: Label of the score with which the others are compared.
        smaller_is_better: Whether the targets are errors or losses.
    """
    place = {arch.key: number for number, arch in enumerate(table.architectures())}
    rows = [place[row.arch.key] for row in table.rows]
    weights = draw_resamples(rows)
    sizes = next(one for one in scores if one.label == "params").by_seed[0][rows]
    found: list[dict[str, Any]] = []
    for target in table.targets:
        sign = -1.0 if smaller_is_better else 1.0
        truth = sign * np.array([row.targets[target] for row in table.rows])
        taus = {one.label: kendall_taus(one.ranks()[rows], truth, weights) for one in scores}
        entries = [
            {
                **_identity(one, target, table),
                **_correlations(one, rows, truth, weights, taus, baseline=baseline),
                **_choices(one.ranks()[rows], truth, sizes, weights),
            }
            for one in scores
        ]
        found += sorted(entries, key=_by_tau)
    return found


def describe_failures(scores: Sequence[ScoreValues], space: SearchSpace) -> list[dict[str, Any]]:
    """Return every network for which a score failed, as JSON can represent it."""
    return [
        {
            "score": one.label,
            "seed": failure.seed,
            "key": failure.arch.key,
            "notation": str(space.format(failure.arch)),
            "reason": failure.reason,
        }
        for one in scores
        for failure in one.failures
    ]


def _identity(one: ScoreValues, target: str, table: AccuracyTable) -> dict[str, Any]:
    return {
        "score": one.label,
        "target": target,
        "is_count": one.is_count,
        "n": len(table.rows),
        "networks": len(table.architectures()),
        "failed": len({failure.arch.key for failure in one.failures}),
        "seconds": one.seconds,
    }


def _correlations(
    one: ScoreValues,
    rows: Sequence[int],
    truth: Floats,
    weights: Floats,
    taus: Mapping[str, Floats],
    *,
    baseline: str,
) -> dict[str, Any]:
    rhos = spearman_rhos(one.ranks()[rows], truth, weights)
    against = None if one.label == baseline else taus[one.label] - taus[baseline]
    alone = [kendall_tau(values[rows].tolist(), truth.tolist()) for values in one.by_seed]
    pairs = [kendall_tau(a.tolist(), b.tolist()) for a, b in itertools.combinations(one.by_seed, 2)]
    known = [tau for tau in pairs if tau is not None]
    return {
        "kendall": finite(taus[one.label][0]),
        "kendall_ci": interval(taus[one.label][1:]),
        "spearman": finite(rhos[0]),
        "spearman_ci": interval(rhos[1:]),
        "difference": None if against is None else finite(against[0]),
        "difference_ci": None if against is None else interval(against[1:]),
        "kendall_each_seed": alone,
        "kendall_between_seeds": float(np.mean(known)) if known else None,
    }


def _choices(values: Floats, truth: Floats, sizes: Floats, weights: Floats) -> dict[str, Any]:
    bands = taus_within_bands(values, truth, sizes, weights)
    top = top_count(len(values))
    return {
        "kendall_in_bands": finite(bands[0]),
        "kendall_in_bands_ci": interval(bands[1:]),
        "ties": tied_rows(values),
        "top": top,
        "top_regret": regret(values, truth, top),
        "first_regret": regret(values, truth, 1),
    }


def _by_tau(entry: Mapping[str, Any]) -> tuple[float, str]:
    tau = entry["kendall"]
    return (2.0 if tau is None else -tau, entry["score"])
