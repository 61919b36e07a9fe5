"""The teacher: a trained model whose outputs another network learns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError
from denas_core.models.trained import load_model
from denas_core.registry.registry import Registry
from denas_core.values.batch import Batch, Outputs

from .plan import Plan


class Teacher:
    """A trained model whose outputs a network learns as well as the labels (Hinton et al. 2015, arXiv:1503.02531).

    It is not a module, so that its weights belong neither to the optimizer nor to a checkpoint.
    """

    def __init__(self, model: TrainedModel, *, weight: float, temperature: float) -> None:
        if model.task is None:
            raise ConfigError("the teacher was not trained for any task; name a trained model")
        self.weight = weight
        self._space, self._task, self._temperature = model.space, model.task, temperature
        self._device = torch.device("cpu")
        self._network = model.network.eval().requires_grad_(False)

    def loss(self, outputs: Outputs, batch: Batch) -> Tensor:
        """Return the distance of the student's outputs from the teacher's, see `Task.imitation`.

        It is multiplied by the square of the temperature, so that its gradients are as large as those of the labels.

        Raises:
            ConfigError: they have no output with the same name and shape.
        """
        if self._device != outputs.features.device:
            self._device = outputs.features.device
            self._network.to(self._device)
        with torch.no_grad():
            taught = self._space.forward(self._network, batch)
        names = [name for name in outputs.logits if name in taught.logits]
        if not names or any(outputs.logits[n].shape != taught.logits[n].shape for n in names):
            raise ConfigError(
                f"the teacher's outputs {_shapes(taught)} are not those of the network, {_shapes(outputs)}; "
                "choose a teacher of the same task and labels"
            )
        return self._task.imitation(outputs, taught, temperature=self._temperature) * self._temperature**2


def load_teacher(plan: Plan, facts: Mapping[str, Any], registry: Registry) -> Teacher | None:
    """Return the teacher of a plan, on the CPU.

    Args:
        plan: The plan.
        facts: Facts of the data. The teacher must have the same ones, because it sees the same batches.
        registry: The installed plugins.

    Raises:
        ConfigError: it was trained for another task, or on other data.
    """
    if plan.teacher is None:
        return None
    model = load_model(plan.teacher, registry)
    name = str(plan.teacher)
    if model.task is None or model.task.id != plan.task.id:
        trained_for = "no task" if model.task is None else model.task.id
        raise ConfigError(f"teacher {name!r} was trained for {trained_for}, not for {plan.task.id}")
    theirs, ours = dict(model.facts), json.loads(json.dumps(dict(facts)))
    differing = [key for key in sorted({*theirs, *ours}) if theirs.get(key) != ours.get(key)]
    if differing:
        raise ConfigError(
            f"teacher {name!r} does not agree with the data on {', '.join(differing)}; "
            "train it on the same data with the same options of the task"
        )
    settings = plan.settings
    return Teacher(model, weight=settings.distill_weight, temperature=settings.distill_temperature)


def _shapes(outputs: Outputs) -> str:
    return ", ".join(f"{name} {tuple(tensor.shape[1:])}" for name, tensor in outputs.logits.items()) or "none"
