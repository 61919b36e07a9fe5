"""A trained model: the architecture, its network, and everything that is needed to use them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denas_core.values.architecture import Architecture

from .space import SearchSpace
from .task import Task

if TYPE_CHECKING:
    from torch import nn

    from denas_core.values.preprocessing import Preprocessing


SCHEMA = "denas.model/1"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A network with its weights, on the CPU and in eval mode, and the task that it was trained for.

    Attributes:
        space: The space of the architecture.
        arch: The architecture.
        network: The network.
        task: The task of its training; None for a network that was not trained.
        facts: What the task needs to use the network, see `TaskData.facts`.
        metrics: Metrics on the split by which the model was chosen.
        history: Where the model comes from, such as the settings of its training and the run of its search. JSON can
            represent it.
    """

    space: SearchSpace
    arch: Architecture
    network: nn.Module
    task: Task[Any] | None = None
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    history: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def preprocessing(self) -> Preprocessing | None:
        """Return how the inputs are made, as the task or else the space says; None if it is not known."""
        found = None if self.task is None else self.task.preprocessing(self.space, facts=self.facts)
        return self.space.preprocessing() if found is None else found

    def card(self) -> dict[str, Any]:
        """Return everything except the weights, as JSON can represent it.

        The model can be loaded from it on a machine that has no file of the space, such as a checkpoint.
        """
        return {
            "schema": SCHEMA,
            "space": {"id": self.space.id, "options": dict(self.space.portable())},
            "arch": self.arch.as_dict(),
            "key": self.arch.key,
            "task": None if self.task is None else self.task.reference(),
            "facts": dict(self.facts),
            "metrics": dict(self.metrics),
            "history": dict(self.history),
        }
