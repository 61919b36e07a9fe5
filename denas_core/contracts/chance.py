"""The comparison of a trained model with chance: with a model that answers the same for every sample."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .task import Metric

CHANCE = "chance"
"""Name, among the metrics of an evaluation, of the value that one and the same answer for every sample has."""

QUANTILE = 1.64
"""Quantile of the normal distribution for 95 % on one side."""


def nothing_learnt(metric: Metric, metrics: Mapping[str, float], samples: int | None = None) -> str:
    """Return a sentence if a model is not better than one and the same answer for every sample, else an empty text.

    With a metric that is a share, a difference counts if it is larger than 1.64 sqrt(p (1 - p) / n), where p is the
    share of that answer and n the number of samples.

    Args:
        metric: The metric of the task.
        metrics: The metrics of an evaluation.
        samples: Number of samples that were measured; None if it is not known.
    """
    if CHANCE not in metrics or metric.name not in metrics:
        return ""
    value, chance = metrics[metric.name], metrics[CHANCE]
    gain = value - chance if metric.direction == "maximize" else chance - value
    count = "" if samples is None else f" on {samples} sample{'' if samples == 1 else 's'}"
    if gain <= 0:
        return (
            f"the model has learnt nothing: its {metric.name}{count} is {value:.4g}, and one and the same answer for "
            f"every input has {chance:.4g}"
        )
    share = min(max(chance, 0.0), 1.0)
    if metric.is_share and samples and gain <= QUANTILE * math.sqrt(share * (1 - share) / samples):
        return (
            f"it is not certain that the model has learnt anything: its {metric.name}{count} is {value:.4g}, and one "
            f"and the same answer for every input has {chance:.4g}, a difference that may be chance"
        )
    return ""
