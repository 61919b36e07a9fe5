"""How far a share that was measured on some samples may be from the share of all samples."""

from __future__ import annotations

import math

QUANTILE = 1.959963984540054
"""Quantile of the normal distribution for 95 %."""


def share_interval(share: float, samples: int) -> tuple[float, float]:
    """Return the 95 % interval of a share that was measured on so many samples.

    It is the interval of Wilson (1927, doi:10.1080/01621459.1927.10502953): the shares p that differ from `share` by at
    most 1.96 sqrt(p (1 - p) / n). It stays between 0 and 1, also where every sample is right.

    Args:
        share: The measured share; it counts as 0 or 1 if it is outside, as an error rate above 1 may be.
        samples: Number of samples, at least 1.
    """
    share = min(max(share, 0.0), 1.0)
    square = QUANTILE**2 / samples
    centre = (share + square / 2) / (1 + square)
    half = math.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    # Rounding may not keep an end away from a share that it is by definition.
    return (0.0 if share == 0 else max(centre - half, 0.0)), (1.0 if share == 1 else min(centre + half, 1.0))


def difference_interval(share: float, samples: int, other: float, other_samples: int) -> tuple[float, float]:
    """Return the 95 % interval of ``share - other``, two shares that were measured on so many samples each.

    It is the interval of Newcombe (1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I), method
    10, which is made of the intervals of both shares. The samples are independent of each other; for networks that are
    measured on the same samples, the true interval is narrower as far as they fail on the same ones.
    """
    low, high = share_interval(share, samples)
    other_low, other_high = share_interval(other, other_samples)
    difference = share - other
    return (
        difference - math.hypot(share - low, other_high - other),
        difference + math.hypot(high - share, other - other_low),
    )
