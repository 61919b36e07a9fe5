"""What a search says about one of its networks, for a model card: budgets, latency, and the comparison with chance."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError
from denas_core.runs.files import CONFIG, RESULT, is_run, read_document
from denas_core.runs.races import read_race
from denas_core.system.guarded_yaml import load_mapping

if TYPE_CHECKING:
    from denas_core.contracts.trained_model import TrainedModel


def with_search(model: TrainedModel, path: Path) -> TrainedModel:
    """Return `model` with what its search says about it in its history, as ``search``, if it comes from a search.

    Args:
        model: The model.
        path: The run, if the history of the model names none.
    """
    source = Path(str(model.history.get("source") or model.history.get("run") or path))
    facts = search_facts(source if is_run(source) else path, model.arch.key)
    return dataclasses.replace(model, history={**model.history, "search": facts}) if facts else model


def search_facts(run: Path, key: str) -> dict[str, Any]:
    """Return facts about the network with this key, by their names; what the run does not say is left out.

    Args:
        run: The directory of a run.
        key: Key of the architecture.
    """
    if not is_run(run):
        return {}
    result, race = read_document(run / RESULT), read_race(run)
    found: dict[str, Any] = {}
    if budgets := _budgets(run):
        found["budgets"] = budgets
    best = result.get("best", {})
    rows = [best, *result.get("front", [])]
    trial: dict[str, Any] = next((row for row in rows if row.get("key") == key), {})
    if latency := trial.get("latency"):
        found["latency_ms"] = {
            name: latency[name] for name in ("median", "low", "high", "verdict") if name in latency
        }
    if best.get("key") == key and result.get("against_random"):
        found["compared with random networks, by score"] = result["against_random"]["text"]
    if race is not None and race["result"] is not None and key.startswith(race["result"]["winner"]):
        found["race of finalists"] = race["result"]["sentence"]
    return found


def _budgets(run: Path) -> list[str]:
    try:
        document = load_mapping((run / CONFIG).read_bytes(), origin=str(run / CONFIG))
    except (OSError, ConfigError):
        return []
    return [str(budget) for budget in document.get("constraints") or ()]
