"""The record of a race, as tables and reports show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMES = {"random": "random", "largest": "largest"}


def race_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each network of a race: those that came furthest first, the best of them first.

    Args:
        document: The record of the race.

    Returns:
        Each row has ``name``, ``key``, ``rank``, ``metrics``, ``values`` (the metric of the race in each rung, None
        where the network was not trained) and ``failure``.
    """
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
        rows.append(
            {
                "name": name_of(entrant),
                "key": entrant["key"],
                "rank": entrant["rank"],
                "metrics": entrant["metrics"],
                "values": values,
                "failure": entrant["failure"],
                "is_winner": entrant["key"] == winner,
                "order": (entrant["key"] != winner, -furthest, best),
            }
        )
    return sorted(rows, key=lambda row: row["order"])


def name_of(entrant: Mapping[str, Any]) -> str:
    """Return how tables name a network, such as ``finalist 3, random``."""
    rank = entrant["rank"]
    return ", ".join(f"finalist {rank}" if kind == "finalist" else NAMES[kind] for kind in entrant["kinds"])
