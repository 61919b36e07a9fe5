"""Reading what trackers have written, each by its own library."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

Curves = dict[str, list[tuple[int, float]]]


def tensorboard_curves(folder: Path) -> Curves:
    """Return the values of each name by step in a folder of TensorBoard events.

    TensorBoard reads its files in the order of their names, which is not that of their writing for the tenth and the
    ninth file of one process within a second. So the values are sorted.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    return {
        name: sorted((row.step, row.value) for row in events.Scalars(name))
        for name in events.Tags()["scalars"]
    }


def mlflow_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[dict[str, str], Curves]]:
    """Return the parameters and the values of each run by its name in a file store of MLflow."""
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    client = MlflowClient(folder.as_uri())
    (experiment,) = [one for one in client.search_experiments() if one.name != "Default"]
    found = {}
    for run in client.search_runs([experiment.experiment_id]):
        curves = {
            name: [(row.step, row.value) for row in client.get_metric_history(run.info.run_id, name)]
            for name in run.data.metrics
        }
        assert run.info.run_name not in found
        found[run.info.run_name] = (dict(run.data.params), curves)
    return found


def trackio_curves(folder: Path) -> Curves:
    """Return the values of each name by step in the only project of a folder of Trackio."""
    (path,) = folder.glob("*.db")
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT step, metrics FROM metrics ORDER BY step").fetchall()
    found: Curves = {}
    for step, metrics in rows:
        for name, value in json.loads(metrics).items():
            found.setdefault(name, []).append((step, value))
    return found
