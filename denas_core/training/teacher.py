"""The teacher: a trained model whose outputs another network learns."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError
from denas_core.models.trained import load_model
from denas_core.registry.registry import Registry
from denas_core.values.architecture import Architecture
from denas_core.values.batch import Batch, Outputs

from .hidden_states import HiddenStates
from .plan import Plan
from .settings import TrainingSettings


class Teacher:
    """A trained model whose outputs a network learns as well as the labels (Hinton et al. 2015, arXiv:1503.02531).

    It is not a module, so that its weights belong neither to the optimizer nor to a checkpoint.
    """

    def __init__(self, model: TrainedModel, settings: TrainingSettings) -> None:
        if model.task is None:
            raise ConfigError("the teacher was not trained for any task; name a trained model")
        self._space, self._arch, self._task, self._settings = model.space, model.arch, model.task, settings
        self._device = torch.device("cpu")
        self._network = model.network.eval().requires_grad_(False)
        self._hidden: HiddenStates | None = None

    def compare_hidden_states(self, network: nn.Module, space: SearchSpace, arch: Architecture) -> None:
        """Let the hidden states of a network be compared, too, if the settings give them a weight.

        Args:
            network: The network of `arch` that learns.
            space: Its space.
            arch: Its architecture.

        Raises:
            ConfigError: the space does not say which hidden states of this teacher are those of the network.
        """
        if not self._settings.distill_hidden:
            return
        counterparts = space.counterparts(network, arch, teacher_space=self._space, teacher_arch=self._arch)
        if not counterparts:
            raise ConfigError(
                f"space {space.id!r} does not say which hidden states a network should learn from this teacher, which "
                f"is of space {self._space.id!r} with {self._arch.as_dict()}; set "
                "training.distill_hidden=0"
            )
        self._hidden = HiddenStates(counterparts, network, self._network)

    def watched(self) -> contextlib.AbstractContextManager[None]:
        """Return the context in which the network that learns computes its outputs, and `loss` is called."""
        return contextlib.nullcontext() if self._hidden is None else self._hidden.watched()

    def loss(self, outputs: Outputs, batch: Batch, *, of_labels: Tensor) -> Tensor:
        """Return the loss of a network that learns from labels and from the teacher, a scalar.

        It is (1 - w) times the loss of the labels plus w times the distance of the outputs from the teacher's, see
        `Task.imitation`, plus the weighted distance of the hidden states. The distance of the outputs is multiplied by
        the square of the temperature, so that its gradients are as large as those of the labels.

        Args:
            outputs: The outputs of the network.
            batch: Its inputs.
            of_labels: The loss of the labels.

        Raises:
            ConfigError: network and teacher have no output with the same name and shape.
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
        weight, temperature = self._settings.distill_weight, self._settings.distill_temperature
        imitation = self._task.imitation(outputs, taught, temperature=temperature) * temperature**2
        loss = (1 - weight) * of_labels + weight * imitation
        if self._hidden is not None:
            loss = loss + self._settings.distill_hidden * self._hidden.distance(outputs.masks.get("features"))
        return loss


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
    return Teacher(model, plan.settings)


def _shapes(outputs: Outputs) -> str:
    return ", ".join(f"{name} {tuple(tensor.shape[1:])}" for name, tensor in outputs.logits.items()) or "none"
