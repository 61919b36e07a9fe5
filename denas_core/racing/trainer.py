"""The trainer of several networks: an executor calls it for each of them, here or in a worker."""

from __future__ import annotations

import dataclasses
import json
import shutil
import statistics
from collections.abc import Mapping
from pathlib import Path

from denas_core.contracts.chance import CHANCE
from denas_core.errors import DenasError, Interrupted
from denas_core.registry.registry import Registry
from denas_core.system.atomic import storage_errors
from denas_core.text import describe_error
from denas_core.training.observers import LOG
from denas_core.training.plan import SETTINGS, Plan
from denas_core.training.result import MODEL, TrainingResult, read_result
from denas_core.training.session import train
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

KEY_LENGTH = 16
"""Digits of an architecture's key in the name of its directory."""

TRAIN_LOSS = "train_loss"
"""Name of the mean training loss of the last epoch."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """Trains each architecture that it is called with, in a directory of its own. It can be pickled.

    Called again after a stop, it goes on with the training, or returns what it has come to. So a worker that is lost
    in the middle of a training costs the steps since the last checkpoint.

    Attributes:
        plan: The plan of all trainings, whose architecture is replaced.
        root: The directory of the trainings.
        keeps_model: Whether the weights of the best epoch are kept.
    """

    plan: Plan
    root: Path
    keeps_model: bool = True

    def directory(self, arch: Architecture) -> Path:
        """Return the directory of an architecture's training."""
        return self.root / arch.key[:KEY_LENGTH]

    def __call__(self, arch: Architecture) -> Evaluation:
        """Train an architecture, and return the metrics of its best epoch and its ``train_loss``.

        Raises:
            Interrupted: a signal stopped the training. The next call goes on.
        """
        try:
            return evaluation_of(self._train(arch))
        except Interrupted:
            raise
        except DenasError as error:
            return Evaluation(state="failed", reason=str(error))
        except Exception as error:
            return Evaluation(state="failed", reason=describe_error(error))

    def found(self, arch: Architecture) -> Evaluation | None:
        """Return what the training of an architecture has come to, or None if it has not ended.

        Raises:
            StoreDamaged, StorageError: its result cannot be read.
        """
        result = read_result(self.directory(arch))
        return None if result is None else evaluation_of(result)

    def _train(self, arch: Architecture) -> TrainingResult:
        directory = self.directory(arch)
        if (done := read_result(directory)) is not None:
            return done
        begun = (directory / SETTINGS).is_file()
        with storage_errors(directory):
            if directory.exists() and not begun:
                # A kill came before the plan was written, so nothing has been trained.
                shutil.rmtree(directory)
        plan = dataclasses.replace(self.plan, arch=arch)
        result = train(plan, directory, registry=Registry.discover(), resume=begun)
        if not self.keeps_model:
            with storage_errors(directory):
                shutil.rmtree(directory / MODEL, ignore_errors=True)
        return result


def evaluation_of(result: TrainingResult) -> Evaluation:
    """Return the metrics of a training's best epoch, its ``train_loss``, and the seconds that it took."""
    loss = training_loss(result.directory)
    # What chance has is the same for all networks of a race.
    best = {name: value for name, value in result.progress.best.items() if name != CHANCE}
    return Evaluation(
        state="scored",
        metrics={**best, **({} if loss is None else {TRAIN_LOSS: loss})},
        seconds={"training": result.progress.seconds},
    )


def training_loss(directory: Path) -> float | None:
    """Return the mean training loss of the last epoch of a training, or None if its log has no loss.

    Raises:
        StorageError: the log cannot be read.
    """
    with storage_errors(directory):
        path = directory / LOG
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    rows: list[Mapping[str, float]] = [row for row in map(json.loads, lines) if "loss" in row]
    if not rows:
        return None
    last = rows[-1]["epoch"]
    return statistics.fmean(row["loss"] for row in rows if row["epoch"] > last - 1)
