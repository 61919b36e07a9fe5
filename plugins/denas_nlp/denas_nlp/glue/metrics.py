"""The official metrics of GLUE, computed over all samples in float64."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def accuracy(found: Tensor, wanted: Tensor) -> float:
    """Return the share of correct labels."""
    return float((found == wanted).double().mean())


def f1(found: Tensor, wanted: Tensor) -> float:
    """Return the harmonic mean of precision and recall of the label 1; 0 if it was never predicted correctly."""
    hits = float(((found == 1) & (wanted == 1)).sum())
    claimed, there = float((found == 1).sum()), float((wanted == 1).sum())
    return 2 * hits / (claimed + there) if hits else 0.0


def matthews(found: Tensor, wanted: Tensor) -> float:
    """Return the correlation of two labels (Matthews 1975); 0 if predictions or targets have only one label."""
    yes = float(((found == 1) & (wanted == 1)).sum())
    no = float(((found == 0) & (wanted == 0)).sum())
    false_yes = float(((found == 1) & (wanted == 0)).sum())
    false_no = float(((found == 0) & (wanted == 1)).sum())
    square = (yes + false_yes) * (yes + false_no) * (no + false_yes) * (no + false_no)
    return (yes * no - false_yes * false_no) / math.sqrt(square) if square else 0.0


def pearson(found: Tensor, wanted: Tensor) -> float:
    """Return the linear correlation; 0 if all values of one side are equal."""
    first, second = found.double(), wanted.double()
    first, second = first - first.mean(), second - second.mean()
    spread = float(first.norm() * second.norm())
    return float(first @ second) / spread if spread else 0.0


def spearman(found: Tensor, wanted: Tensor) -> float:
    """Return the linear correlation of the ranks; equal values get the mean of their ranks."""
    return pearson(_ranks(found), _ranks(wanted))


def _ranks(values: Tensor) -> Tensor:
    import torch

    _, group, counts = torch.unique(values, return_inverse=True, return_counts=True)
    last: Tensor = counts.cumsum(0).double()
    mean: Tensor = last - (counts.double() - 1) / 2
    return mean[group]
