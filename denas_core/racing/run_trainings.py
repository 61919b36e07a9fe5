"""Trainings of networks of a run. They are kept in the run, so that none is repeated with the same settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.task import TaskData
from denas_core.errors import ConfigError, keep_notices
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry
from denas_core.runs.files import TRAININGS
from denas_core.seeding import digest
from denas_core.setup.checks import choose_device
from denas_core.setup.tasks import choose_task
from denas_core.system.extras import require_extra
from denas_core.training.plan import Plan, identify_data
from denas_core.training.settings import MAY_CHANGE_ON_RESUME, make_settings
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

from .resolution import points, resolution
from .searched_run import SearchedRun
from .side_by_side import OnProgress, train_side_by_side
from .trainer import Trainer


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """What the user says about the trainings.

    Attributes:
        data: The data set.
        task: Name of the task; None for the only one that fits.
        task_options: Options of the task.
        settings: Settings of the training, which replace those of the task's recipe.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    data: Path
    task: str | None = None
    task_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    device: str = "auto"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunTrainings:
    """How networks of a run are trained, all of them alike.

    Attributes:
        trainer: Trains each network, in a directory of its own.
        data: What the task has read.
        samples: Number of samples to train on.
        valid_samples: Number of samples to validate on.
        notices: What the task says about the data.
    """

    trainer: Trainer
    data: TaskData[Any]
    samples: int
    valid_samples: int
    notices: Sequence[str]

    @property
    def plan(self) -> Plan:
        """The plan of all trainings."""
        return self.trainer.plan

    def describe(self, count: int) -> list[str]:
        """Return what the task says about the data, what is trained, and how well the samples tell networks apart."""
        metric, epochs = self.plan.task.metric, self.plan.settings.epochs
        text = (
            f"{count} networks are trained for {epochs} epoch{'' if epochs == 1 else 's'} on {self.samples} samples, "
            f"and validated on {self.valid_samples}"
        )
        smallest = resolution(metric, self.valid_samples)
        if smallest is not None:
            text += f"; {metric.name} that differs by less than {points(smallest)} is partly ranked by chance"
        return [*self.notices, text]

    def train(
        self,
        networks: Sequence[Architecture],
        *,
        registry: Registry,
        on_progress: OnProgress,
        notify: Callable[[str], None],
    ) -> dict[str, Evaluation]:
        """Say what will be trained, train it, and return what has come of each network by its key.

        Raises:
            Interrupted, StoreDamaged, StorageError: see `train_side_by_side`.
        """
        for line in self.describe(len(networks)):
            notify(line)
        return train_side_by_side(
            self.trainer,
            networks,
            data=self.data,
            registry=registry,
            on_progress=on_progress,
            notify=notify,
        )


def plan_trainings(run: SearchedRun, request: TrainingRequest, registry: Registry) -> RunTrainings:
    """Return how networks of a run are trained. The data are opened, and nothing is trained yet.

    Raises:
        ConfigError: the task, the settings or the data do not fit.
    """
    require_extra("train", "transformers", "accelerate", "safetensors", purpose="training")
    task = choose_task(registry, run.space, request.task, request.task_options, data=request.data)
    seed = run.config.get("seed", 0)
    plan = Plan(
        space=run.space,
        arch=run.ranked[0].arch,
        task=task,
        settings=make_settings(task.id, task.recipe, {"seed": seed, **request.settings}),
        data=request.data.absolute(),
        device=choose_device(request.device),
        source=str(run.path),
    )
    with plugin_errors(f"space {run.space.id!r}", guard=False):
        plan.weights()
    with plugin_errors(f"task {task.id!r}", guard=False):
        data = task.read(plan.data, plan.space)
        samples, valid_samples = len(data.train or ()), len(data.valid)
    with keep_notices(lambda: data.notices):
        for name, count in (("train", samples), ("validate", valid_samples)):
            if not count:
                raise ConfigError(f"{str(plan.data)!r} holds no sample to {name} on")
    root = run.path / TRAININGS / _name_of_settings(plan, identify_data(data))
    return RunTrainings(
        trainer=Trainer(plan=plan, root=root.absolute(), keeps_model=False),
        data=data,
        samples=samples,
        valid_samples=valid_samples,
        notices=data.notices,
    )


def _name_of_settings(plan: Plan, data: Mapping[str, Any]) -> str:
    """Return a name that two plans share if a network has the same weights after both."""
    settings = {
        name: value for name, value in plan.settings.options().items() if name not in MAY_CHANGE_ON_RESUME
    }
    parts = [plan.space.fingerprint(), plan.task.reference(), settings, data, plan.device]
    return f"{plan.task.id.partition('/')[2]}-{plan.settings.epochs}-{digest(parts, size=4)}"
