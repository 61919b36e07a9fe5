"""The tables of ``denas report`` in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from denas_core.values.objectives import SHOWN_METRICS

from .output import cell, print_table


def print_report(document: Mapping[str, Any]) -> None:
    """Print a report: the same sections as the page, those that a table can hold."""
    for sentence in document["verdict"]:
        sys.stdout.write(f"{cell(sentence)}\n")
    _comparison(document["comparison"])
    _confidence(document["confidence"])
    _finalists(document)
    _knobs(document["knobs"])
    _budgets(document["budgets"])
    _failures(document["failures"])
    sys.stdout.write(f"\n{cell(document['provenance']['reproducible']['why'])}\n")
    for notice in document["notices"]:
        sys.stdout.write(f"note: {cell(notice)}\n")
    for row in document["commands"]:
        sys.stdout.write(f"next: {cell(row['command'])}\n")


def _comparison(comparison: Mapping[str, Any] | None) -> None:
    if comparison and comparison["rows"]:
        print_table(
            ["quantity", "better is", "best", "median", "lower quartile", "upper quartile", "better than"],
            [
                [
                    row["name"],
                    "larger" if row["direction"] == "maximize" else "smaller",
                    *(row[name] for name in ("best", "median", "low", "high")),
                    f"{row['beaten']:.0%}",
                ]
                for row in comparison["rows"]
            ],
            title=f"\nBest against the {comparison['count']} random candidates of generation 0",
        )


def _confidence(confidence: Mapping[str, Any] | None) -> None:
    if confidence is None:
        return
    rows = [("finalists", "score", confidence["finalists"]), ("all", "score", confidence["all"])]
    rows += [("all", name, tau) for name, tau in confidence["components"].items()]
    print_table(
        ["order of", "by", "mean tau", "least", "most", "pairs of seeds"],
        [
            [who, by, *((tau or {}).get(name) for name in ("mean", "min", "max", "pairs"))]
            for who, by, tau in rows
        ],
        title=f"\nAgreement of {confidence['seeds'] + 1} seeds",
    )


def _finalists(document: Mapping[str, Any]) -> None:
    rows = document["finalists"]
    components = list(dict.fromkeys(name for row in rows for name in row["components"]))
    metrics = [name for name in SHOWN_METRICS if any(name in row["metrics"] for row in rows)]
    if rows:
        print_table(
            ["#", "front", "key", "score", *components, *metrics, "seconds"],
            [
                [
                    row["rank"],
                    "*" if row["on_front"] else "",
                    row["key"][:12],
                    row["score"],
                    *(row["components"].get(name) for name in components),
                    *(row["metrics"].get(name) for name in metrics),
                    float(row["total_seconds"]),
                ]
                for row in rows
            ],
            title="\nFinalists",
        )


def _knobs(knobs: Mapping[str, Any]) -> None:
    told = [row for row in knobs["knobs"] if row["share"] is not None]
    if told:
        print_table(
            ["knob", "share explained", "p", "active in", "value of the best", "there", "usual"],
            [
                [
                    row["name"],
                    f"{row['share']:.0%}",
                    f"{row['p']:.3f}",
                    row["active"],
                    row["best"],
                    *(
                        "-" if row[name] is None else f"{row[name]:.0%}"
                        for name in ("best_share", "usual_share")
                    ),
                ]
                for row in told[:10]
            ],
            title="\nWhich knobs mattered",
        )


def _budgets(budgets: Mapping[str, Any]) -> None:
    if budgets["constraints"]:
        print_table(
            ["budget", "best", "room left", "turned away"],
            [
                [
                    row["text"],
                    row["best"],
                    "-" if row["margin"] is None else f"{row['margin']:.0%}",
                    row["rejected"],
                ]
                for row in budgets["constraints"]
            ],
            title="\nWhere budgets cut",
        )


def _failures(failures: list[Mapping[str, Any]]) -> None:
    if failures:
        print_table(
            ["trials", "what", "reason", "example"],
            [[row["count"], row["state"], row["reason"], row["examples"][0]["key"][:12]] for row in failures],
            title="\nTrials without a score",
        )
