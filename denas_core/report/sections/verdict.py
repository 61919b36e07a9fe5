"""The verdict: a summary of the report in a few sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.text import as_many, percent, quantity

ADVICE = (
    (0.7, "the order is repeatable"),
    (0.4, "the order is repeatable only in part, so the order of neighbours means nothing"),
    (-1.0, "the order among them is mostly chance, so choose by size, latency or a short training"),
)
"""Conclusions for the order of the finalists, each with the smallest mean Kendall's tau between seeds."""

FEW = 30
"""A search with fewer scored trials gets a warning."""


def state_verdict(document: Mapping[str, Any]) -> list[str]:
    """Return sentences about the best architecture, its comparison with chance, its budgets and its certainty.

    Args:
        document: The report with ``answer``, ``counts``, ``best``, ``against_random``, ``comparison``, ``budgets``,
            ``confidence`` and ``race``.
    """
    counts, best = document["counts"], document["best"]
    if best is None:
        # A network may have been trained although the ranking cannot be read.
        answer = document["answer"]
        return [*([answer["sentence"]] if answer else []), _state_no_best(document)]
    return [
        sentence
        for sentence in (
            document["answer"]["sentence"],
            _state_best(document),
            _state_race(document["race"]),
            _state_sample(document["against_random"]),
            _state_comparison(document["comparison"]),
            _state_budgets(document["budgets"]["constraints"]),
            _state_confidence(document["confidence"]),
            _warn_of_few(counts["scored"]),
        )
        if sentence
    ]


def _state_no_best(document: Mapping[str, Any]) -> str:
    counts = document["counts"]
    if counts["scored"]:
        return (
            f"{counts['scored']} candidates have a score, but they cannot be ranked here: the run has no ranking that "
            "can be read, and it could not be made again."
        )
    if not counts["infeasible"] and not counts["failed"]:
        return "No candidate has been evaluated yet: the search was stopped, or its budget ended, before the first one."
    return f"No architecture was found: {counts['infeasible']} candidates were infeasible, {counts['failed']} failed."


def _state_best(document: Mapping[str, Any]) -> str:
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
    return (
        f"By its score, {best['key'][:12]} is the first of {document['counts']['scored']} candidates{tail}."
    )


def _state_sample(against: Mapping[str, Any] | None) -> str:
    return f"By its score, the first one is {against['text']}." if against else ""


def _state_comparison(comparison: Mapping[str, Any] | None) -> str:
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
        f"In {better} of {len(rows)} {'component' if len(rows) == 1 else 'components'}, it is better than the median "
        f"of the {count} random candidates at the beginning of this run ({'; '.join(parts)})"
    )
    sizes = [
        as_many(row["best"] / row["median"], "parameters" if row["name"] == "params" else "FLOPs")
        for row in comparison["rows"]
        if row["kind"] == "metric" and row["name"] in ("params", "flops") and row["median"]
    ]
    return f"{text}. It has {' and '.join(sizes)} as this median." if sizes else f"{text}."


def _state_budgets(constraints: Sequence[Mapping[str, Any]]) -> str:
    if not constraints:
        return "No budget was set."
    met = [row for row in constraints if row["margin"] is not None and row["margin"] >= 0]
    if len(met) < len(constraints):
        return f"It meets {len(met)} of {len(constraints)} budgets."
    tight = min(constraints, key=lambda row: row["margin"])
    room = f"{percent(tight['margin'])} {'below' if tight['upper'] else 'above'} its bound"
    if len(met) == 1:
        return f"It meets the budget {tight['text']}, {room}."
    every = "both" if len(met) == 2 else f"all {len(met)}"
    return f"It meets {every} budgets; the tightest is {tight['text']}, {room}."


def _state_confidence(confidence: Mapping[str, Any] | None) -> str:
    if confidence is None:
        return "It was not measured how certain this order is."
    tau, seeds = confidence["finalists"], confidence["seeds"]
    stays = (
        f"the best one stayed first in {confidence['first']} and among the best three in {confidence['top3']} of "
        f"{seeds} other seeds"
    )
    if tau is None:
        return f"The candidates were scored again with other seeds: {stays}."
    advice = next(advice for least, advice in ADVICE if tau["mean"] >= least)
    return (
        "The finalists were scored again with other seeds. The agreement of their orders is "
        f"{tau['mean']:.2f} ({tau['min']:.2f} to {tau['max']:.2f}; 1 is the same order, 0 none), and {stays}: {advice}."
    )


def _state_race(race: Mapping[str, Any] | None) -> str:
    if race is None or race["result"] is None:
        return ""
    return f"{len(race['rows'])} networks were trained in a race. {race['result']['sentence']}"


def _warn_of_few(scored: int) -> str:
    return (
        f"{scored} scored candidates are very few; give this search a larger budget." if scored < FEW else ""
    )


def _number(value: float) -> str:
    if abs(value) >= 10_000:
        return quantity(value)
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
