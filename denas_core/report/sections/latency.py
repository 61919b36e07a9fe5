"""The latency of a run: what was predicted, what was measured, and how far they are apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import DenasError
from denas_core.results.machines import prediction_error, side_by_side
from denas_core.runs.store import Store
from denas_core.setup.prediction import read_document
from denas_core.values.trial import Trial


def describe_latency(run: Path, store: Store, trials: Sequence[Trial]) -> dict[str, Any] | None:
    """Return the latencies of a run, as JSON can represent them; None if it has none.

    Args:
        run: The run directory.
        store: Its open store.
        trials: Its trials, with the measurements of its finalists.

    Returns:
        ``measured``, ``stable``, ``typical_width`` and ``rounds`` of the trials that were measured; ``predicted``, the
        number of trials whose latency is a prediction; ``model``, the error of the model that predicts, in words, or
        None; ``machine``, the other machine for which it predicts, or None; ``error``, how far predictions were from
        measurements of this run, see `prediction_error`; ``machines``, see `side_by_side`.
    """
    known = [trial.evaluation.latency for trial in trials if trial.evaluation.latency is not None]
    if not known:
        return None
    measured = [one for one in known if one["verdict"] != "predicted"]
    widths = sorted((one["high"] - one["low"]) / one["median"] for one in measured if one["median"])
    measurements = store.measurements()
    model = _model(run)
    machines = side_by_side(store.searched_trials(), measurements) if measurements else None
    return {
        "measured": len(measured),
        "stable": sum(one["verdict"] == "stable" for one in measured),
        "typical_width": widths[len(widths) // 2] if widths else None,
        "rounds": sum(one["rounds"] for one in measured),
        "predicted": len(known) - len(measured),
        "model": None if model is None else str(model["error"]),
        "machine": None if model is None else model.get("machine"),
        "error": prediction_error(machines),
        "machines": machines,
    }


def _model(run: Path) -> dict[str, Any] | None:
    try:
        return read_document(run)
    except DenasError:
        return None
