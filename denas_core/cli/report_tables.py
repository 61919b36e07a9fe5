"""The tables of ``denas report`` in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.text import percent

from .output import cell, print_next, print_table, print_text
from .race import print_race
from .trial_tables import KEY_DIGITS, TrialRow, print_trial_table

MORE = "the page, or --json"


def print_report(document: Mapping[str, Any], page: Path | None = None) -> None:
    """Print a report: those sections of the page that a table can hold, and where the page is."""
    for sentence in document["verdict"]:
        print_text(cell(sentence))
    print_trained(document["trained"])
    _comparison(document["comparison"])
    _confidence(document["confidence"])
    _finalists(document)
    if document["race"] is not None:
        print_race(document["race"], title="Race of finalists, trained on data")
    _knobs(document["knobs"])
    _budgets(document["budgets"])
    _failures(document["failures"])
    print_text(f"\n{cell(document['provenance']['reproducible']['why'])}")
    for notice in document["notices"]:
        print_text(f"note: {cell(notice)}")
    if page is not None:
        print_text(f"report: {page}")
    print_next(cell(row["command"]) for row in document["commands"])


def print_trained(trained: Mapping[str, Any] | None) -> None:
    """Print what was trained, and what is missing of it."""
    if trained is None:
        return
    print_table(
        ["network", "key", "in", "epochs", "score", trained["metric"] or "metric", "95 % interval"],
        [
            [
                f"{row['name']}{' (kept)' if row['is_kept'] else ''}",
                row["key"][:KEY_DIGITS],
                row["group"],
                row["epochs"],
                row["score"],
                row["value"] if row["value"] is not None else row["failure"] or None,
                "{:.3g} to {:.3g}".format(*row["interval"]) if row["interval"] else None,
            ]
            for row in trained["rows"]
        ],
        title="Trained",
        least=("key", "in"),
        more=MORE,
    )
    for sentence in trained["missing"]:
        print_text(f"note: {cell(sentence)}")


def _comparison(comparison: Mapping[str, Any] | None) -> None:
    if comparison and comparison["rows"]:
        print_table(
            ["quantity", "better is", "best", "median", "lower quartile", "upper quartile", "better than"],
            [
                [
                    row["name"],
                    "larger" if row["direction"] == "maximize" else "smaller",
                    *(row[name] for name in ("best", "median", "low", "high")),
                    _share(row["beaten"]),
                ]
                for row in comparison["rows"]
            ],
            title=f"Best against the {comparison['count']} random candidates of generation 0",
            least=("better is", "lower quartile", "upper quartile"),
            more=MORE,
        )


def _confidence(confidence: Mapping[str, Any] | None) -> None:
    if confidence is None:
        return
    rows = [("finalists", "score", confidence["finalists"]), ("all", "score", confidence["all"])]
    rows += [("all", name, tau) for name, tau in confidence["components"].items()]
    print_table(
        ["order of", "by", "mean tau", "minimum", "maximum", "pairs of seeds"],
        [
            [order, by, *((tau or {}).get(name) for name in ("mean", "min", "max", "pairs"))]
            for order, by, tau in rows
        ],
        title=f"Agreement of {confidence['seeds'] + 1} seeds",
        more=MORE,
    )


def _finalists(document: Mapping[str, Any]) -> None:
    if document["finalists"]:
        print_trial_table(
            [
                TrialRow(
                    first={
                        "#": row["rank"],
                        "front": "*" if row["on_front"] else "",
                        "key": row["key"][:KEY_DIGITS],
                        "score": row["score"],
                    },
                    components=row["components"],
                    metrics=row["metrics"],
                    latency=row["latency"],
                    last={"seconds": float(row["total_seconds"])},
                )
                for row in document["finalists"]
            ],
            title="Finalists",
            more=MORE,
        )


def _knobs(knobs: Mapping[str, Any]) -> None:
    explained = [row for row in knobs["knobs"] if row["share"] is not None]
    if explained:
        print_table(
            ["knob", "share explained", "p", "active in", "value of the best", "there", "usual"],
            [
                [
                    row["name"],
                    _share(row["share"]),
                    f"{row['p']:.3f}",
                    row["active"],
                    row["best"],
                    *(_share(row[name]) for name in ("best_share", "usual_share")),
                ]
                for row in explained[:10]
            ],
            title="Which knobs mattered",
            prose=("value of the best",),
            more=MORE,
        )


def _budgets(budgets: Mapping[str, Any]) -> None:
    if budgets["constraints"]:
        print_table(
            ["budget", "best", "room left", "rejected"],
            [
                [row["text"], row["best"], _share(row["margin"]), row["rejected"]]
                for row in budgets["constraints"]
            ],
            title="Budgets",
            more=MORE,
        )


def _failures(failures: list[Mapping[str, Any]]) -> None:
    if failures:
        print_table(
            ["trials", "what", "reason", "example"],
            [
                [row["count"], row["state"], row["reason"], row["examples"][0]["key"][:KEY_DIGITS]]
                for row in failures
            ],
            prose=("reason",),
            least=("example",),
            more=MORE,
            title="Trials without a score",
        )


def _share(value: float | None) -> str | None:
    return None if value is None else percent(value)
