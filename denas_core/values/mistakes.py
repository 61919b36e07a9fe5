"""What a model confuses, as a report can show it, and the accuracy of a model that always answers the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

MOST_CLASSES = 20
"""Classes up to which the whole confusion matrix is kept."""

MOST_PAIRS = 20
"""Pairs of classes that are kept of a larger matrix."""


def confusion(predicted: Tensor, expected: Tensor, labels: Sequence[str]) -> dict[str, Any]:
    """Return how often samples of each class were taken for each other class, for `Task.mistakes`.

    Args:
        predicted: Indices of the predicted classes, (samples,).
        expected: Indices of the true classes, (samples,).
        labels: Names of the classes.

    Returns:
        With up to 20 classes, ``labels`` and ``matrix``: a row for each true class, with its number of samples by
        predicted class. With more classes, ``classes``, their number, and ``pairs``: those that are confused most, each
        with ``expected``, ``predicted`` and ``count``, and with ``samples`` of the expected class. Empty if the classes
        are not those of the labels.
    """
    import torch

    count = len(labels)
    both = torch.stack([expected.long().flatten(), predicted.long().flatten()])
    if not both.numel() or int(both.min()) < 0 or int(both.max()) >= count:
        return {}
    table = torch.bincount(both[0] * count + both[1], minlength=count * count).reshape(count, count)
    names = [str(label) for label in labels]
    if count <= MOST_CLASSES:
        return {"labels": names, "matrix": table.tolist()}
    samples = table.sum(1)
    wrong = table.clone().fill_diagonal_(0).flatten()
    order = wrong.argsort(descending=True, stable=True)[:MOST_PAIRS].tolist()
    pairs = [
        {
            "expected": names[place // count],
            "predicted": names[place % count],
            "count": int(wrong[place]),
            "samples": int(samples[place // count]),
        }
        for place in order
        if wrong[place]
    ]
    return {"classes": count, "pairs": pairs}


def largest_share(expected: Tensor) -> float | None:
    """Return the accuracy of a model that always answers the most frequent class; None if there is no sample.

    Args:
        expected: Indices of the true classes, (samples,).
    """
    labels = expected.long().flatten()
    return None if not len(labels) else float(labels.bincount().max()) / len(labels)
