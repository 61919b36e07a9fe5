"""Resample a waveform with a windowed sinc: ``torchaudio.functional.resample``, written in plain torch."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from .backend import torchaudio

if TYPE_CHECKING:
    from torch import Tensor

ZEROS = 6
"""Number of zero crossings of the sinc on each side."""

ROLLOFF = 0.99
"""Cut-off frequency divided by half of the lower rate: higher frequencies would cause aliasing."""

WHOLE_FILTERS = 1 << 22
"""Largest product of the two reduced rates for which torchaudio is used: it makes a table of at least that size."""

BLOCK = 1 << 22
"""Limit on samples x weights that are summed at once."""


def resample(waveform: Tensor, rate: int, to: int) -> Tensor:
    """Return a waveform (samples,) at another sample rate; it has ceil(samples * to / rate) samples.

    Args:
        waveform: float32 (samples,).
        rate: Sample rate in Hz, a whole number.
        to: Sample rate of the result in Hz, any other whole number.
    """
    if rate == to or not len(waveform):
        return waveform
    library = torchaudio()
    if library is None or rate * to // math.gcd(rate, to) ** 2 > WHOLE_FILTERS:
        return own_resample(waveform, rate, to)
    found: Tensor = library.functional.resample(waveform, rate, to)
    return found


def own_resample(waveform: Tensor, rate: int, to: int) -> Tensor:
    """Return the same as `resample`, computed without torchaudio.

    Sample j of the result lies at the position j * rate / to of the waveform. With both rates divided by their greatest
    common divisor, the weights repeat after every `to` samples of the result, for samples that are `rate` positions
    later. Only weights inside the window are stored: torchaudio's rows are as long as the reduced rate, which takes
    gigabytes if the rates have no common divisor.
    """
    import torch

    common = math.gcd(rate, to)
    rate, to = rate // common, to // common
    weights, first, margin = _filters(rate, to)
    blocks = -(-len(waveform) // rate)
    length = -(-len(waveform) * to // rate)
    padded = torch.nn.functional.pad(waveform, (margin, margin + blocks * rate - len(waveform)))
    rows = padded.unfold(0, rate + 2 * margin, rate)
    places = (first[:, None] + torch.arange(weights.shape[1])).flatten()
    parts = [
        torch.einsum("bpw,pw->bp", part.index_select(1, places).view(-1, *weights.shape), weights)
        for part in torch.split(rows, max(1, BLOCK // weights.numel()))
    ]
    return torch.cat(parts).flatten()[:length]


@functools.lru_cache(maxsize=32)
def _filters(rate: int, to: int) -> tuple[Tensor, Tensor, int]:
    """Return the weights (to, width) of the samples around each position, the first such sample, and the margin."""
    import torch

    bandwidth = min(rate, to) * ROLLOFF
    reach = math.ceil(ZEROS * rate / bandwidth)
    # Whole numbers keep the exact position of a sample between two others, which rounding would lose.
    places = torch.arange(to) * rate
    first = places // to - reach
    offsets = torch.arange(2 * reach + 2)
    apart = ((first[:, None] + offsets) * to - places[:, None]).double() / to
    t = (apart * bandwidth / rate).clamp(-ZEROS, ZEROS)
    weights = torch.sinc(t) * (t * math.pi / ZEROS / 2).cos().square() * bandwidth / rate
    margin = reach + 1
    return weights.float(), first + margin, margin
