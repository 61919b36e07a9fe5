"""What a run directory says about its training and its race, for lists and reports; nothing is checked or loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .files import RACE_RECORD, TRAINING, read_document

SCHEMA = "denas.race/1"


def read_race(run: Path) -> dict[str, Any] | None:
    """Return the record of a run's race; None if there is none that can be read."""
    document = read_document(run / RACE_RECORD)
    try:
        return document if document.get("schema") == SCHEMA and _is_whole(document) else None
    except (KeyError, TypeError, AttributeError):
        return None


def _is_whole(document: dict[str, Any]) -> bool:
    """Return whether a record has what its readers use; whatever it lacks may also raise an error here."""
    names = {document["metric"]["name"], document["metric"]["direction"], document["task"], document["data"]}
    trainings = [one for entrant in document["entrants"] for one in entrant["trainings"]]
    facts = [(one["epochs"], one["state"], one["metrics"].get("")) for one in trainings]
    kinds = [
        (one["key"], one["kinds"], one["rank"], one["failure"], one["metrics"].get(""))
        for one in document["entrants"]
    ]
    result = document["result"]
    is_described = result is None or (isinstance(result["sentence"], str) and bool(result["winner"]))
    return (
        all(isinstance(name, str) for name in names)
        and bool(document["rungs"])
        and document["samples"]["valid"] >= 0
        and len(facts) + len(kinds) > 0
        and is_described
    )


def trained_metric(run: Path) -> tuple[str, float] | None:
    """Return the metric of a run's training and its best value; None if it is not trained."""
    document = read_document(run / TRAINING / "result.json")
    name, best = document.get("metric"), document.get("best")
    value = best.get(name) if isinstance(best, dict) else None
    return (name, float(value)) if isinstance(name, str) and isinstance(value, (int, float)) else None


def describe_trained(run: Path) -> str | None:
    """Return the metric of a run's training as text, or how far its race is; None if it has neither."""
    if (found := trained_metric(run)) is not None:
        return f"{found[0]} {found[1]:.4g}"
    race = read_race(run)
    if race is None or race["result"] is not None:
        return None
    done = sum(len(entrant["trainings"]) for entrant in race["entrants"])
    return f"race: {done} training{'' if done == 1 else 's'} done"
