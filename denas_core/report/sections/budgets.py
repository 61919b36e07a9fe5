"""Budgets: the range of the space, the values of the trials, and the number of trials that each constraint rejected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.values.trial import Evaluation, Trial

from .statistics import bin_edges, histogram, spans_decades

BINS = 28
BINDING = 0.05
"""A constraint binds if the best architecture leaves less room than this share of its bound."""


def describe_budgets(
    constraints: Sequence[Mapping[str, Any]],
    ranges: Mapping[str, Sequence[float]],
    trials: Sequence[Trial],
    best: Trial | None,
    shown: Sequence[str],
) -> dict[str, Any]:
    """Return the constraints, and the distribution of each metric.

    Returns:
        ``constraints``: each with ``range``, ``best`` (value of the best architecture), ``margin`` (room that it
        leaves, as a share of the bound), ``binds`` and ``rejected`` (number of trials whose reason names the
        constraint). ``metrics``: each with ``name``, ``log``, ``edges``, ``scored`` and ``others`` (counts between the
        edges), and ``best``.
    """
    rows = constraint_rows(constraints, ranges, trials, None if best is None else best.evaluation)
    names = dict.fromkeys((*shown, *(row["metric"] for row in rows)))
    found = (_metric(name, trials, best, [row for row in rows if row["metric"] == name]) for name in names)
    return {"constraints": rows, "metrics": [metric for metric in found if metric]}


def constraint_rows(
    constraints: Sequence[Mapping[str, Any]],
    ranges: Mapping[str, Sequence[float]],
    trials: Sequence[Trial],
    evaluation: Evaluation | None,
) -> list[dict[str, Any]]:
    """Return the constraints with the values of a network, see `describe_budgets`."""
    return [_constraint(constraint, ranges, trials, evaluation) for constraint in constraints]


def _constraint(
    constraint: Mapping[str, Any],
    ranges: Mapping[str, Sequence[float]],
    trials: Sequence[Trial],
    evaluation: Evaluation | None,
) -> dict[str, Any]:
    metric, bound = constraint["metric"], constraint["bound"]
    value = None if evaluation is None else evaluation.metrics.get(metric)
    latency = None if evaluation is None else evaluation.latency
    if metric == "latency_ms" and latency is not None and latency["verdict"] != "predicted":
        # For a measured latency, the constraint applies to the end of the confidence interval.
        value = latency["high" if constraint["upper"] else "low"]
    margin = None
    if value is not None:
        margin = (bound - value if constraint["upper"] else value - bound) / bound
    names_it = re.compile(rf"{re.escape(constraint['text'])}(?![\w.])")
    return {
        **constraint,
        "range": list(ranges[metric]) if metric in ranges else None,
        "best": value,
        "margin": margin,
        "binds": margin is not None and margin < BINDING,
        "rejected": sum(
            t.evaluation.state == "infeasible" and bool(names_it.search(t.evaluation.reason)) for t in trials
        ),
    }


def _metric(
    name: str, trials: Sequence[Trial], best: Trial | None, constraints: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    scored = [_value(t, name) for t in trials if t.is_scored and name in t.evaluation.metrics]
    others = [_value(t, name) for t in trials if not t.is_scored and name in t.evaluation.metrics]
    values = [*scored, *others]
    if not values:
        return None
    inside = [*values, *(constraint["bound"] for constraint in constraints)]
    log = spans_decades(inside)
    edges = bin_edges(inside, bins=BINS, log=log)
    return {
        "name": name,
        "log": log,
        "edges": edges,
        "scored": histogram(scored, edges),
        "others": histogram(others, edges),
        "best": None if best is None else best.evaluation.metrics.get(name),
        "bounds": [{"bound": c["bound"], "upper": c["upper"], "text": c["text"]} for c in constraints],
    }


def _value(trial: Trial, name: str) -> float:
    """Return a metric; its prediction if there is one, because most trials of such a run have nothing else."""
    result = trial.evaluation
    return (result.predicted or {}).get(name, result.metrics[name])
