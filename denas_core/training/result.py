"""The result of a training, and how the next command names the training."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import StoreDamaged
from denas_core.runs.files import TRAINING, TRAINING_RESULT
from denas_core.system.atomic import storage_errors

from .plan import SCHEMA
from .progress import TrainingProgress

RESULT = TRAINING_RESULT
MODEL = "model"
CHECKPOINTS = "checkpoints"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """The result of a training that has ended.

    Attributes:
        directory: Directory of the training; the best model is in its ``model``.
        task: Id of the task.
        metric: Name of the metric that chose the best model.
        progress: The progress at the end.
        steps: Optimizer steps.
        notices: What the user should know.
    """

    directory: Path
    task: str
    metric: str
    progress: TrainingProgress
    steps: int
    notices: Sequence[str] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the result as ``denas train --json`` prints it."""
        return {
            "schema": SCHEMA,
            "directory": str(self.directory),
            "model": str(self.directory / MODEL),
            "task": self.task,
            "metric": self.metric,
            **self.progress.as_dict(),
            "steps": self.steps,
            "notices": list(self.notices),
        }


def read_result(directory: Path) -> TrainingResult | None:
    """Return the result of a finished training, or None."""
    path = directory / RESULT
    with storage_errors(path):
        if not path.is_file():
            return None
        text = path.read_text(encoding="utf-8")
    names = [field.name for field in dataclasses.fields(TrainingProgress)]
    try:
        # Results of earlier versions do not have it.
        document = {"measured": {}, **json.loads(text)}
        return TrainingResult(
            directory=directory,
            task=document["task"],
            metric=document["metric"],
            progress=TrainingProgress(**{name: document[name] for name in names}),
            steps=document["steps"],
            notices=document["notices"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(
            f"{str(path)!r} is damaged: {error!r}; remove it, and go on with --resume"
        ) from error


def resume_command(directory: Path) -> str:
    """Return the command that goes on with the training in `directory`."""
    return f"denas train {owner(directory)} --resume"


def owner(directory: Path) -> str:
    """Return the name under which commands find the training in `directory`: its run, or itself; quoted for a shell."""
    named = directory.parent if directory.name == TRAINING else directory
    return shlex.quote(str(named))
