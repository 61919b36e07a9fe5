"""The module that the engine trains: a network with the loss of its task and, if there is one, of its teacher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from torch import Tensor, nn

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Task
from denas_core.values.batch import Batch

from .teacher import Teacher


class TrainableNetwork(nn.Module):
    """A network that returns its loss for a batch and its targets."""

    def __init__(
        self,
        network: nn.Module,
        space: SearchSpace,
        task: Task[Any],
        *,
        label_smoothing: float = 0.0,
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self._space, self._task = space, task
        self._label_smoothing, self._teacher = label_smoothing, teacher

    def forward(self, batch: Batch, targets: Mapping[str, Tensor]) -> Tensor:
        """Return the mean loss of a batch, a scalar."""
        if self._teacher is None:
            outputs = self._space.forward(self.network, batch)
            return self._task.loss(outputs, targets, label_smoothing=self._label_smoothing)
        with self._teacher.watched():
            outputs = self._space.forward(self.network, batch)
            loss = self._task.loss(outputs, targets, label_smoothing=self._label_smoothing)
            return self._teacher.loss(outputs, batch, of_labels=loss)

    def train(self, mode: bool = True) -> Self:
        """Set the mode. The engine calls this before every step, so nothing is done if the mode is set already."""
        return self if self.training == mode else super().train(mode)
