"""Observers of a training: the log, the TensorBoard events, and whatever a command shows."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from denas_core.runs.files import TRAINING_LOG
from denas_core.system.atomic import storage_errors, write_atomically
from denas_core.tracking.experiment import EVENTS

LOG = TRAINING_LOG


class TrainingObserver(Protocol):
    """An object that is called as a training goes on. It must not change the training."""

    def started(self, *, step: int, total: int, epochs: int) -> None:
        """Training begins, or goes on, after `step` of `total` optimizer steps."""

    def stepped(self, step: int) -> None:
        """An optimizer step is done."""

    def logged(self, row: Mapping[str, Any]) -> None:
        """A row of the log is written: ``step``, ``epoch`` and ``loss`` with ``lr``, or ``metrics``."""

    def finished(self) -> None:
        """Training has ended, in whatever way."""


class LogFile:
    """``log.jsonl``: a row for the losses of some steps, and one for each evaluation."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOG

    def started(self, *, step: int, total: int, epochs: int) -> None:
        """Remove the rows that a resume writes again, and a last row that is incomplete."""
        with storage_errors(self._path):
            lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        kept = [line for line in lines if _step_of(line) <= step]
        write_atomically(self._path, "".join(f"{line}\n" for line in kept))

    def stepped(self, step: int) -> None:
        """Do nothing: only rows are kept."""

    def logged(self, row: Mapping[str, Any]) -> None:
        """Add a row."""
        with storage_errors(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dict(row)) + "\n")

    def finished(self) -> None:
        """Do nothing: every row is written already."""


class TensorBoardEvents:
    """The rows of the log in the form that TensorBoard reads."""

    def __init__(self, directory: Path) -> None:
        """Prepare the events of a training.

        Raises:
            ImportError: tensorboard is not installed.
        """
        # Imported before torch's writer, whose error hides why it cannot be imported.
        importlib.import_module("tensorboard")
        self._directory = directory / EVENTS
        self._writer: Any = None

    def started(self, *, step: int, total: int, epochs: int) -> None:
        """Open a file, and hide what earlier files contain of later steps."""
        from torch.utils.tensorboard import SummaryWriter

        with storage_errors(self._directory):
            self._writer = SummaryWriter(str(self._directory), purge_step=step + 1 if step else None)

    def stepped(self, step: int) -> None:
        """Do nothing: only rows are kept."""

    def logged(self, row: Mapping[str, Any]) -> None:
        """Add the numbers of a row."""
        # A thread of the writer writes; its error is raised by a later call.
        with storage_errors(self._directory):
            for name, value in numbers_of(row).items():
                self._writer.add_scalar(name, value, row["step"])

    def finished(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()


def numbers_of(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers in a row of the log by the names that TensorBoard and every tracker show."""
    numbers = {f"train/{name}": row[name] for name in ("loss", "lr", "grad_norm") if name in row}
    return numbers | {f"valid/{name}": value for name, value in row.get("metrics", {}).items()}


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
