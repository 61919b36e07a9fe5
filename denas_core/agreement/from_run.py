"""Train networks of a run, and evaluate scores with them: the run gives the space, its score and the networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Metric
from denas_core.errors import ConfigError
from denas_core.racing.run_trainings import RunTrainings
from denas_core.racing.searched_run import SearchedRun
from denas_core.racing.side_by_side import OnProgress
from denas_core.registry.registry import Registry
from denas_core.values.trial import Trial

from .columns import label_of_score
from .evaluate import Request, default_directory
from .table import FEWEST_ROWS, AccuracyTable, check_rows, read_table
from .trained_table import TRAINED, describe_failed, write_trained_table


@dataclasses.dataclass(slots=True, kw_only=True)
class TableFromRun:
    """A table whose networks are trained first.

    Attributes:
        run: The run.
        trainings: How its networks are trained.
        chosen: The trials whose networks are trained.
        out: Directory of the evaluation, which gets the table.
        notices: What the user should know about the trainings, after `read`.
    """

    run: SearchedRun
    trainings: RunTrainings
    chosen: Sequence[Trial]
    out: Path
    notices: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def of(cls, run: SearchedRun, trainings: RunTrainings, count: int, *, out: Path | None) -> TableFromRun:
        """Choose the networks to train.

        Raises:
            ConfigError: there are too few, or `out` is a file.
        """
        if count < FEWEST_ROWS:
            raise ConfigError(f"--train {count}: a correlation needs at least {FEWEST_ROWS} networks")
        directory = out or default_directory(run.space.id, run.path.resolve().name)
        if directory.exists() and not directory.is_dir():
            raise ConfigError(f"out {str(directory)!r} is a file; name a directory")
        return cls(run=run, trainings=trainings, chosen=run.choose(count), out=directory)

    def complete(self, request: Request) -> Request:
        """Return `request` with the space, the score and the direction of the metric of the run."""
        metric = self.trainings.plan.task.metric
        options = {name: part for name, part in request.options.items() if name not in ("space", "training")}
        return dataclasses.replace(
            request,
            space=self.run.space.id,
            options={**options, "space": self.run.space.options()},
            run_score=self.run.config["score"],
            baseline=request.baseline or label_of_score(self.run.config["score"]["name"]),
            smaller_is_better=request.smaller_is_better or metric.direction == "minimize",
            out=self.out,
        )

    def read(
        self,
        space: SearchSpace,
        *,
        targets: Sequence[str],
        registry: Registry,
        on_progress: OnProgress,
        notify: Callable[[str], None],
    ) -> AccuracyTable:
        """Train the networks, write the table and read it.

        Args:
            space: The space of the run.
            targets: Columns of the table; by default the metric of the task. Values of this metric beyond its `worst`
                count as equal to it, as in a race.
            registry: The installed plugins.
            on_progress: Is called after each training.
            notify: Is called with a line for the user before the trainings begin.

        Raises:
            NoResult: fewer than 10 networks could be trained.
            Interrupted: a signal stopped the trainings.
        """
        trained = self.trainings.train(
            [trial.arch for trial in self.chosen], registry=registry, on_progress=on_progress, notify=notify
        )
        path = self.out / TRAINED
        write_trained_table(path, self.run, self.chosen, trained)
        self.notices += describe_failed(self.chosen, trained)
        metric = self.trainings.plan.task.metric
        return with_counted(read_table(path, space, targets=targets or (metric.name,)), metric)

    def as_dict(self) -> dict[str, Any]:
        """Return what was trained, as JSON can represent it."""
        plan = self.trainings.plan
        return {
            "run": str(self.run.path),
            "networks": len(self.chosen),
            "task": plan.task.reference(),
            "data": str(plan.data),
            "settings": plan.settings.options(),
            "samples": self.trainings.samples,
            "valid_samples": self.trainings.valid_samples,
        }


def with_counted(table: AccuracyTable, metric: Metric) -> AccuracyTable:
    """Return the table with the values of a metric as `Metric.counted` returns them.

    Raises:
        ConfigError: all of them are equal then.
    """
    if metric.name not in table.targets:
        return table
    rows = tuple(
        dataclasses.replace(
            row, targets={**row.targets, metric.name: metric.counted(row.targets[metric.name])}
        )
        for row in table.rows
    )
    check_rows(rows, (metric.name,), table.name)
    return dataclasses.replace(table, rows=rows)
