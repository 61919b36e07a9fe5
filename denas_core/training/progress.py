"""Where a training stands: the best model so far, and why it stops early."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from denas_core.contracts.task import Metric

from .settings import TrainingSettings


@dataclasses.dataclass(kw_only=True)
class Standing:
    """What the evaluations so far have shown; goes with every checkpoint.

    Attributes:
        metrics: Of the last evaluation.
        best: Of the evaluation whose model is kept; empty before the first.
        best_epoch: Epochs trained before it.
        stale: Evaluations since then.
        seconds: Spent on training, earlier processes included.
        stopped: Why training ended before its last epoch; empty if it did not.
    """

    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    best: dict[str, float] = dataclasses.field(default_factory=dict)
    best_epoch: float = 0.0
    stale: int = 0
    seconds: float = 0.0
    stopped: str = ""

    def note(
        self, metrics: dict[str, float], metric: Metric, *, epoch: float, settings: TrainingSettings
    ) -> bool:
        """Take in an evaluation; tell whether its model is the best so far: of equal ones, the one of smallest loss."""
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
        """Return the standing, fit for JSON."""
        return dataclasses.asdict(self)
