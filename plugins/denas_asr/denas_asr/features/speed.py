"""Make speech faster or slower by resampling (Ko et al. 2015, doi:10.21437/Interspeech.2015-711)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .resampling import resample

if TYPE_CHECKING:
    from torch import Tensor

ORIGINAL_SPEEDS = tuple(range(95, 105))
"""Speeds in percent that the original DE-NAS uses."""

KALDI_SPEEDS = (90, 100, 110)
"""Speeds in percent that Ko et al. use."""


def change_speed(waveform: Tensor, percent: int) -> Tensor:
    """Return a waveform (samples,) at another speed; it has ceil(samples * 100 / percent) samples.

    The pitch changes with the speed.

    Args:
        waveform: float32.
        percent: New speed in percent of the original speed: 110 makes the waveform shorter.
    """
    return resample(waveform, percent, 100)
