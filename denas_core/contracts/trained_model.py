"""A trained model as a value: the architecture, its network and what is needed to use them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denas_core.values.architecture import Architecture

from .space import SearchSpace
from .task import Task

if TYPE_CHECKING:
    from torch import nn


SCHEMA = "denas.model/1"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A network with its weights, on the CPU and in eval mode, and what it was trained for.

    Attributes:
        space: The space of the architecture.
        arch: The architecture.
        network: The network.
        task: What it was trained for; None for a network that was not trained.
        facts: What the task needs to use it, see `TaskData.facts`.
        metrics: Metrics of the split it was chosen by.
        history: Where it comes from, fit for JSON: settings of its training, the run of its search.
    """

    space: SearchSpace
    arch: Architecture
    network: nn.Module
    task: Task[Any] | None = None
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    history: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def card(self) -> dict[str, Any]:
        """Return everything but the weights, fit for JSON: what loads the model where no file of its space is."""
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
