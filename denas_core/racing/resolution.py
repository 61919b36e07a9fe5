"""The difference between two trained networks that the samples can show: a smaller one may be chance."""

from __future__ import annotations

import math

from denas_core.contracts.task import Metric

QUANTILE = 1.96
"""Quantile of the normal distribution for 95 %."""

COARSE = 0.03
"""A comparison that resolves less than this share gets a warning before work begins."""


def resolution(metric: Metric, samples: int, *, share: float = 0.5) -> float | None:
    """Return the smallest difference of two networks that `samples` can tell from none, or None if it is not known.

    It is 1.96 sqrt(2 p (1 - p) / n), the half width of the 95 % interval of the difference of two shares p that are
    measured on n samples each. Both networks are measured on the same samples, so the true interval is narrower as far
    as they fail on the same ones.

    Args:
        metric: The metric. It is only known for a metric that is a share.
        samples: Samples that the networks are measured on.
        share: The value of the metric; 0.5 is the worst case.
    """
    if not metric.is_share or samples < 1:
        return None
    share = min(max(share, 0.0), 1.0)
    return QUANTILE * math.sqrt(2 * share * (1 - share) / samples)


def coarse_notice(metric: Metric, samples: int) -> str:
    """Return a notice for data that tell only large differences apart, or an empty string."""
    smallest = resolution(metric, samples)
    if smallest is None or smallest <= COARSE:
        return ""
    needed = math.ceil(2 * 0.25 * (QUANTILE / COARSE) ** 2)
    return (
        f"{samples} samples to measure on tell apart networks that differ by more than {points(smallest)}; smaller "
        f"differences may be chance ({points(COARSE)} need about {needed} samples)"
    )


def points(share: float) -> str:
    """Return a difference of two shares in percentage points, as text."""
    text = f"{100 * share:.1f}"
    return f"{text} point{'s' if text != '1.0' else ''}"
