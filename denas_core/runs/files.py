"""The names of the files in a run directory, and how a run directory is recognised."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, StoreDamaged
from denas_core.system.atomic import LOCK

from .path_length import check_path_length
from .rows import APPLICATION_ID
from .store import Store

STORE = "study.db"
"""The trials, in an SQLite file."""

REPAIRED = f"{STORE}.repaired"
"""The new store of a repair, before it replaces the damaged one."""

CONFIG = "config.yaml"
"""The configuration of the run, with every option written out."""

RESULT = "result.json"
"""The ranked trials and the Pareto front."""

BEST = "best.json"
"""The best architecture."""

ARCHITECTURES = "architectures"
"""A folder with one architecture file for each finalist."""

FINALISTS = 10
"""Number of networks with the best scores that are finalists."""

INSIGHT = "insight.json"
"""Data from the objects of the search that a later report needs."""

CALIBRATION = "calibration.json"
"""Weights of the score that were fitted to trainings, and rank the run in place of those of its search."""

LATENCY_MODEL = "latency-model.json"
"""The model that predicts the latency of candidates, so that a resumed search has the same predictions."""

REPORT = "report.html"
"""The report."""

TRAINING = "training"
"""A folder with the training of the best architecture."""

RACE = "race"
"""A folder with the trainings of a race of finalists, whose winner becomes `TRAINING`."""

RACE_RECORD = Path(RACE) / "race.json"
"""The networks of a race, their metrics, and which of them won."""

MODEL = Path(TRAINING) / "model"
"""A folder with the trained model."""

TRAININGS = "trainings"
"""A folder with one folder for each group of settings, and in it a training of each network that was trained so."""

TRAINING_SETTINGS, TRAINING_RESULT, TRAINING_LOG = "settings.json", "result.json", "log.jsonl"
"""The files of a training: its plan, what it came to, and its losses and evaluations."""

EXPORT = "export"
"""A folder with one folder for each form in which the trained model was written."""

BUILD = "build.json"
"""The record of a build. It lies beside the run of the search of the build."""


def read_run(path: Path) -> Store:
    """Open the store of a run for reading.

    Raises:
        ConfigError, StoreDamaged, StorageError: there is no run, or it cannot be read.
    """
    check_is_run(path)
    return Store.read(path / STORE)


def check_is_run(path: Path) -> None:
    """Check that a directory is a run that can be read.

    Raises:
        ConfigError: it is not a run, it was stopped before its first trial, or its path is too long.
        StoreDamaged: its store is missing.
    """
    repair = f"denas repair {shlex.quote(str(path))}"
    if (path / REPAIRED).is_file():
        raise StoreDamaged(f"a repair of run {str(path)!r} was cut off; finish it with: {repair}")
    if (path / STORE).is_file():
        check_path_length(path)
        return
    if (path / f"{STORE}-wal").is_file():
        raise StoreDamaged(f"run {str(path)!r} has lost its {STORE}; save what its log holds with: {repair}")
    if (path / RESULT).is_file():
        raise StoreDamaged(f"run {str(path)!r} has lost its {STORE}; put it back, or start a new run")
    if (path / CONFIG).is_file() and (path / LOCK).is_file():
        raise ConfigError(
            f"run {str(path)!r} was stopped before its first trial; start it again with --out {shlex.quote(str(path))}"
        )
    raise ConfigError(f"{str(path)!r} is not a run directory; 'denas search' makes one")


def is_run(path: Path) -> bool:
    """Return whether a search made this directory. Its files may be damaged or incomplete."""
    if not path.is_dir():
        return False
    stores = (STORE, REPAIRED, f"{STORE}-wal")
    begun = (path / LOCK).is_file() and (path / CONFIG).is_file()
    return begun or any(_is_ours(path / name) for name in stores)


def read_document(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file of a run, such as its result; an empty one if it has none that can be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _is_ours(store: Path) -> bool:
    if store.name.endswith("-wal"):
        # A log does not show which program wrote it, so the directory must also have the configuration of a run.
        return store.is_file() and (store.parent / CONFIG).is_file()
    try:
        with store.open("rb") as file:
            head = file.read(72)
    except OSError:
        return False
    return len(head) == 72 and int.from_bytes(head[68:], "big") == APPLICATION_ID
