"""The record of a race, as tables and reports show it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.values.metrics import shown_metrics


def summarise_race(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a race as a table, as JSON can represent it.

    Args:
        document: The record of the race.

    Returns:
        ``task``, ``metric``, ``direction``, ``data`` (the name without its folder), ``samples`` (to measure on),
        ``rungs`` (epochs of each), ``result`` (None if the race is not over), ``metrics`` (names of those in the rows),
        ``has_failures``, and ``rows``: the winner first, then those that came furthest. Each row has ``name``, ``key``,
        ``rank``, ``metrics``, ``values`` (the metric in each rung, None where the network was not trained), ``failure``
        and ``is_winner``.
    """
    metric, rows = document["metric"], _rows(document)
    return {
        "task": document["task"],
        "metric": metric["name"],
        "direction": metric["direction"],
        "data": Path(document["data"]).name,
        "samples": document["samples"]["valid"],
        "rungs": document["rungs"],
        "result": document["result"],
        "metrics": shown_metrics(name for row in rows for name in row["metrics"]),
        "has_failures": any(row["failure"] for row in rows),
        "rows": rows,
    }


def _rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    metric, rungs = document["metric"], document["rungs"]
    sign = 1.0 if metric["direction"] == "minimize" else -1.0
    winner = (document["result"] or {}).get("winner")
    rows = []
    for entrant in document["entrants"]:
        trained = {one["epochs"]: one for one in entrant["trainings"] if one["state"] == "scored"}
        values = [
            trained[epochs]["metrics"].get(metric["name"]) if epochs in trained else None for epochs in rungs
        ]
        furthest = max((place for place, value in enumerate(values) if value is not None), default=-1)
        best = 0.0 if furthest < 0 else sign * (values[furthest] or 0.0)
        order = (entrant["key"] != winner, -furthest, best)
        row = {
            "name": name_of(entrant),
            "key": entrant["key"],
            "rank": entrant["rank"],
            "metrics": entrant["metrics"],
            "values": values,
            "failure": entrant["failure"],
            "is_winner": entrant["key"] == winner,
        }
        rows.append((order, row))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def name_of(entrant: Mapping[str, Any]) -> str:
    """Return how tables name a network, such as ``finalist 3, random`` or ``familiar (a ResNet)``."""
    called = entrant.get("name")
    names = {
        "finalist": f"finalist {entrant['rank']}",
        "familiar": f"familiar ({called})" if called else "familiar",
    }
    return ", ".join(names.get(kind, kind) for kind in entrant["kinds"])
