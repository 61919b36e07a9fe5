"""The progress of a training: the metrics of the best model so far, and why training stops early."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from denas_core.contracts.task import Metric

from .settings import TrainingSettings


@dataclasses.dataclass(kw_only=True)
class TrainingProgress:
    """What the evaluations have shown so far. Each checkpoint contains it.

    Attributes:
        metrics: Metrics of the last evaluation.
        best: Metrics of the model that is kept; empty before the first evaluation.
        best_epoch: Epochs after which this model was evaluated.
        stale: Number of evaluations since the metric became better for the last time.
        measured: What is said about the model that is kept, see `facts_of_evaluation`; empty before the first
            evaluation.
        seconds: Time spent on training, before a resume included.
        stopped: Why training ended before its last epoch; empty if it did not.
    """

    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    best: dict[str, float] = dataclasses.field(default_factory=dict)
    best_epoch: float = 0.0
    measured: dict[str, Any] = dataclasses.field(default_factory=dict)
    stale: int = 0
    seconds: float = 0.0
    stopped: str = ""

    def record(
        self, metrics: dict[str, float], metric: Metric, *, epoch: float, settings: TrainingSettings
    ) -> bool:
        """Record an evaluation, and return whether its model is the best so far.

        The best model has the best value of the task's metric; of several such models, it has the smallest loss.
        """
        self.metrics = metrics
        value = metrics[metric.name]
        is_better = metric.is_better(value, self.best.get(metric.name))
        is_best = is_better or (
            not metric.is_better(self.best[metric.name], value)
            and metrics.get("loss", math.inf) < self.best.get("loss", math.inf)
        )
        self.stale = 0 if is_better else self.stale + 1
        if is_best:
            self.best, self.best_epoch = metrics, epoch
        threshold = settings.metric_threshold
        if threshold is not None and not metric.is_better(threshold, value):
            self.stopped = f"{metric.name} {value:.4g} has reached the threshold {threshold:g}"
        elif settings.patience and self.stale >= settings.patience:
            self.stopped = f"no better {metric.name} in {self.stale} evaluations"
        return is_best

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, fit for JSON."""
        return dataclasses.asdict(self)
