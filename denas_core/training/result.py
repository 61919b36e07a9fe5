"""The result of a training, and how the next command names the training."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import StoreDamaged
from denas_core.runs.files import TRAINING, TRAINING_RESULT
from denas_core.runs.report_page import Report
from denas_core.system.atomic import storage_errors
from denas_core.values.html import paragraphs_html, table_html

from .plan import SCHEMA
from .progress import TrainingProgress

if TYPE_CHECKING:
    from denas_core.models.predictor import Predictor

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

    @property
    def path(self) -> Path:
        """Directory of the training."""
        return self.directory

    @property
    def value(self) -> float:
        """Value of the metric for the best model."""
        return self.metrics[self.metric]

    @property
    def metrics(self) -> Mapping[str, float]:
        """All metrics of the best model."""
        return self.progress.best

    @property
    def samples(self) -> int | None:
        """Number of samples that the metrics were measured on; None in trainings of earlier versions."""
        count: int | None = self.progress.measured.get("samples")
        return count

    def predictor(self, **options: Any) -> Predictor:
        """Return the best model as a `Predictor`; the options are those of `Predictor.load`."""
        from denas_core.models.predictor import Predictor

        return Predictor.load(self.directory, **options)

    def report(self) -> Report:
        """Return the report of the run of this training, which a notebook shows.

        Raises:
            ConfigError: the training belongs to no run, or the run has no report.
        """
        return Report.of_run(self.directory.parent if self.directory.name == TRAINING else self.directory)

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
            **({} if self.samples is None else {"samples": self.samples}),
            "notices": list(self.notices),
        }

    def _repr_html_(self) -> str:
        rows = [[name, f"{value:.4g}"] for name, value in self.metrics.items()]
        where = "" if self.samples is None else f" on {self.samples} samples"
        said = [
            f"{self.task}: {self.metric} {self.value:.4g}{where}, best after epoch {self.progress.best_epoch:g}",
            *([f"stopped early: {self.progress.stopped}"] if self.progress.stopped else []),
        ]
        beside = [*self.notices, f"training: {self.directory}"]
        return paragraphs_html(said) + table_html(["metric", "value"], rows) + paragraphs_html(beside)


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
