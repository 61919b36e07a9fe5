"""The verdict: a few plain sentences that a reader can repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.text import percent, quantity

ADVICE = (
    (0.7, "the order is repeatable"),
    (0.4, "the order is repeatable in part, and neighbours in it are equals"),
    (-1.0, "the order among them is mostly chance, so choose by size, latency or a short training"),
)
"""What a mean Kendall tau between seeds, from the number on, means for the order of the finalists."""

FEW = 30
"""Scored trials below which a search has hardly begun."""


def state_verdict(document: Mapping[str, Any]) -> list[str]:
    """Return the sentences: what is best, against what, within which budgets, and how sure that is.

    Args:
        document: The report so far: ``counts``, ``best``, ``comparison``, ``budgets``, ``confidence``.
    """
    counts, best = document["counts"], document["best"]
    if best is None:
        return [_nothing(document)]
    return [
        sentence
        for sentence in (
            _best(document),
            _against(document["comparison"]),
            _budgets(document["budgets"]["constraints"]),
            _sure(document["confidence"]),
            _few(counts["scored"]),
        )
        if sentence
    ]


def _nothing(document: Mapping[str, Any]) -> str:
    counts = document["counts"]
    if counts["scored"]:
        return (
            f"{counts['scored']} candidates are scored, but they cannot be ranked here: the score's plugin is missing, "
            "and the search left no ranking behind."
        )
    if not counts["infeasible"] and not counts["failed"]:
        return "No candidate has been judged yet: the search was stopped, or its budget ended, before the first one."
    return f"No architecture was found: {counts['infeasible']} candidates were infeasible, {counts['failed']} failed."


def _best(document: Mapping[str, Any]) -> str:
    best, metrics = document["best"], document["best"]["metrics"]
    facts = [
        f"{quantity(metrics[name])} {unit}"
        for name, unit in (("params", "parameters"), ("flops", "FLOPs"))
        if name in metrics
    ]
    latency = best["latency"]
    if latency is not None:
        facts.append(
            f"a latency of {latency['median']:.3g} ms [{latency['low']:.3g}, {latency['high']:.3g}]"
            + ("" if latency["verdict"] == "stable" else f" ({latency['verdict']})")
        )
    listed = f"{', '.join(facts[:-1])} and {facts[-1]}" if len(facts) > 1 else "".join(facts)
    tail = f", with {listed}" if listed else ""
    return f"Architecture {best['key'][:12]} ranks first of {document['counts']['scored']} scored candidates{tail}."


def _against(comparison: Mapping[str, Any] | None) -> str:
    if not comparison or not comparison["rows"]:
        return ""
    count = comparison["count"]
    rows = [row for row in comparison["rows"] if row["kind"] == "component"]
    parts = [f"{row['name']} {_number(row['best'])} against {_number(row['median'])}" for row in rows]
    better = sum(
        row["best"] > row["median"] if row["direction"] == "maximize" else row["best"] < row["median"]
        for row in rows
    )
    text = (
        f"It is better than the median of the {count} random candidates that began this run in {better} of {len(rows)} "
        f"{'component' if len(rows) == 1 else 'components'} ({'; '.join(parts)})"
    )
    smaller = [
        f"{row['best'] / row['median']:.2g} times the {'parameters' if row['name'] == 'params' else 'FLOPs'}"
        for row in comparison["rows"]
        if row["kind"] == "metric" and row["name"] in ("params", "flops") and row["median"]
    ]
    return f"{text}, at {' and '.join(smaller)}." if smaller else f"{text}."


def _budgets(constraints: Sequence[Mapping[str, Any]]) -> str:
    if not constraints:
        return "No budget was set."
    met = [row for row in constraints if row["margin"] is not None and row["margin"] >= 0]
    if len(met) < len(constraints):
        return f"It meets {len(met)} of {len(constraints)} budgets as they stand in this report."
    tight = min(constraints, key=lambda row: row["margin"])
    room = f"{tight['text']} is the tightest, with {percent(tight['margin'])} to spare"
    return (
        f"It meets the budget {room.replace(' is the tightest', '')}."
        if len(met) == 1
        else (f"It meets all {len(met)} budgets; {room}.")
    )


def _sure(confidence: Mapping[str, Any] | None) -> str:
    if confidence is None:
        return "How sure this order is was not measured."
    tau, seeds = confidence["finalists"], confidence["seeds"]
    stays = (
        f"the best one stayed first in {confidence['first']} and among the best three in {confidence['top3']} of "
        f"{seeds} other seeds"
    )
    if tau is None:
        return f"Scored again with other seeds, {stays}."
    advice = next(advice for least, advice in ADVICE if tau["mean"] >= least)
    return (
        f"Scored again with other seeds, the finalists keep their order with a Kendall tau of {tau['mean']:.2f} "
        f"({tau['min']:.2f} to {tau['max']:.2f}), and {stays}: {advice}."
    )


def _few(scored: int) -> str:
    return f"With {scored} scored candidates this search has hardly begun." if scored < FEW else ""


def _number(value: float) -> str:
    return quantity(value) if abs(value) >= 10_000 else f"{value:.3g}"
