"""Speech spoken faster or slower, by resampling (Ko et al. 2015, doi:10.21437/Interspeech.2015-711)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .resampling import resample

if TYPE_CHECKING:
    from torch import Tensor

ORIGINAL = tuple(range(95, 105))
"""Speeds in percent that the original DE-NAS draws from."""

KALDI = (90, 100, 110)
"""Those of Ko et al."""


def at_speed(waveform: Tensor, percent: int) -> Tensor:
    """Return a waveform (samples,) spoken at another speed, of ceil(samples * 100 / percent) samples.

    Pitch goes with it, as on a tape.

    Args:
        waveform: float32.
        percent: Speed by that of the waveform: 110 makes it shorter.
    """
    return resample(waveform, percent, 100)
