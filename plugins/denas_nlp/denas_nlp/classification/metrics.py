"""Metrics of classes and of several labels, computed over all samples in float64."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

THRESHOLD = 0.5
"""A label is given to a text if its probability is at least this."""


def of_classes(found: Tensor, wanted: Tensor, classes: int) -> dict[str, float]:
    """Return accuracy, macro F1 and the Matthews correlation of several classes.

    The correlation is that of Gorodkin (2004, doi:10.1016/j.compbiolchem.2004.09.006), which is 0 if all predictions or
    all targets are one class.

    Args:
        found: The predicted class of each sample.
        wanted: The right class of each sample.
        classes: Number of classes.
    """
    import torch

    pairs = torch.bincount(wanted * classes + found, minlength=classes * classes).reshape(classes, classes)
    table = pairs.double()
    hits, there, claimed, total = table.diagonal(), table.sum(1), table.sum(0), table.sum()
    correct = float(hits.sum())
    covariance = correct * float(total) - float(there @ claimed)
    spread = math.sqrt(float(total**2 - there @ there)) * math.sqrt(float(total**2 - claimed @ claimed))
    return {
        "accuracy": correct / float(total),
        "f1_macro": _macro(hits, there, claimed),
        "matthews": covariance / spread if spread else 0.0,
    }


def of_labels(found: Tensor, wanted: Tensor) -> dict[str, float]:
    """Return micro and macro F1, and the share of texts all of whose labels are right.

    Args:
        found: Whether each label was predicted (samples, labels).
        wanted: Whether each label is right (samples, labels).
    """
    hits = (found & wanted).double().sum(0)
    there, claimed = wanted.double().sum(0), found.double().sum(0)
    total = float(there.sum() + claimed.sum())
    return {
        "f1_micro": 2 * float(hits.sum()) / total if total else 0.0,
        "f1_macro": _macro(hits, there, claimed),
        "exact_match": float((found == wanted).all(1).double().mean()),
    }


def best_f1_of_same_labels(wanted: Tensor) -> float:
    """Return the best micro F1 of giving the same labels to all texts: the most frequent one, the first two, and so on.

    Args:
        wanted: Whether each label is right (samples, labels).
    """
    import torch

    hits = wanted.double().sum(0).sort(descending=True).values.cumsum(0)
    claimed = len(wanted) * torch.arange(1, len(hits) + 1)
    return float((2 * hits / (claimed + hits[-1])).max())


def _macro(hits: Tensor, there: Tensor, claimed: Tensor) -> float:
    """Return the mean F1 of the labels that occur, among the right ones or among the predicted ones."""
    sums = there + claimed
    occurs = sums > 0
    return float((2 * hits[occurs] / sums[occurs]).mean()) if bool(occurs.any()) else 0.0
