"""Metrics of predicted classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

TOP = 5
"""Number of predicted classes of an image, the likeliest first."""


def class_metrics(predictions: Tensor, labels: Tensor) -> dict[str, float]:
    """Return ``accuracy``, the mean accuracy over classes and, with `TOP` predictions, ``top5_accuracy``.

    Args:
        predictions: Numbers of the likeliest classes of each image, best first (samples, `TOP` or fewer).
        labels: Numbers of the true classes (samples).
    """
    hits = predictions == labels[:, None]
    first = hits[:, 0].double()
    counts = labels.bincount()
    by_class = labels.bincount(weights=first)[counts > 0] / counts[counts > 0]
    found = {"accuracy": float(first.mean()), "balanced_accuracy": float(by_class.mean())}
    if predictions.shape[1] == TOP:
        found["top5_accuracy"] = float(hits.any(1).double().mean())
    return found
