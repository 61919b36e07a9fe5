"""The trained networks of several runs, as ``denas compare`` prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .output import print_table, print_text
from .trial_tables import KEY_DIGITS

MOST_ROWS = 8
"""Networks of each run that are shown; JSON has all of them."""


def print_trained(document: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Print trained networks, and which differences between runs are larger than chance allows.

    Args:
        document: See `denas_core.results.compare_trained.compare_trained`.
        names: A short name of each run by its path.
    """
    rows = [
        row for run in names for row in [one for one in document["rows"] if one["run"] == run][:MOST_ROWS]
    ]
    metrics = list(dict.fromkeys(row["metric"] for row in rows if row["metric"]))
    last = ["failure"] if any(row["failure"] for row in rows) else []
    print_table(
        ["run", "trained", "key", "score", *metrics, "95 %", "samples", "chance", "epochs", *last],
        [[*_row(row, names, metrics), *(row[name] for name in last)] for row in rows],
        title="Trained networks (* is the one that a run gives)",
        prose=("trained", "failure"),
        least=("epochs", "score", "key"),
        more="--json",
    )
    hidden = len(document["rows"]) - len(rows)
    if hidden:
        print_text(f"and {hidden} more; --json prints all")
    for pair in document["pairs"]:
        print_text(describe_pair(pair, names))
    if any(pair["verdict"] != "unknown" for pair in document["pairs"]):
        print_text("This holds if both were measured on the same data or on samples of the same kind.")


def describe_pair(pair: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return a sentence about the trained networks of two runs."""
    first, second = (names[run] for run in pair["runs"])
    if pair["lead"] is None:
        return f"{first} and {second}: no comparison: {pair['reason']}"
    lead = pair["lead"]
    amount = f"{100 * abs(lead):.1f} points" if pair["is_share"] else f"{abs(lead):.3g}"
    better, other = (first, second) if lead >= 0 else (second, first)
    what = f"{pair['metric']} of {better} is {amount} better than that of {other}"
    if lead == 0:
        what = f"{pair['metric']} of {first} and of {second} is the same"
    if pair["verdict"] == "unknown":
        return f"{what}; whether that is chance is unknown: {pair['reason']}"
    low, high = sorted(100 * value * (1 if lead >= 0 else -1) for value in pair["interval"])
    interval = f"95 % interval {low:.1f} to {high:.1f} points"
    if pair["verdict"] == "cannot be told apart":
        return f"{what}, which may be chance ({interval})"
    return f"{what}, more than chance allows ({interval})"


def _row(row: Mapping[str, Any], names: Mapping[str, str], metrics: Sequence[str]) -> list[object]:
    interval = row["interval"]
    return [
        names[row["run"]],
        f"{'* ' if row['is_kept'] else ''}{row['name']}",
        row["key"][:KEY_DIGITS],
        row["score"],
        *(row["value"] if name == row["metric"] else None for name in metrics),
        None if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}",
        row["samples"],
        row["chance"],
        row["epochs"],
    ]
