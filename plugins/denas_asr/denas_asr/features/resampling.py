"""Another rate for a waveform, by a windowed sinc: ``torchaudio.functional.resample``, on plain torch."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from .backend import torchaudio

if TYPE_CHECKING:
    from torch import Tensor

ZEROS = 6
"""Zero crossings of the sinc on either side."""

ROLLOFF = 0.99
"""Where frequencies end, by half of the lower rate: what is above would come back mirrored."""

WHOLE_FILTERS = 1 << 22
"""Products of two reduced rates up to which torchaudio is used: it makes a table of that size at least."""

BLOCK = 1 << 22
"""Samples, by the weights of each, that are summed at once."""


def resample(waveform: Tensor, rate: int, to: int) -> Tensor:
    """Return a waveform (samples,) at another rate, of ceil(samples * to / rate) samples.

    Args:
        waveform: float32 (samples,).
        rate: Samples a second.
        to: Those of the result. Both are whole numbers, whatever their common divisor.
    """
    if rate == to or not len(waveform):
        return waveform
    library = torchaudio()
    if library is None or rate * to // math.gcd(rate, to) ** 2 > WHOLE_FILTERS:
        return own_resample(waveform, rate, to)
    found: Tensor = library.functional.resample(waveform, rate, to)
    return found


def own_resample(waveform: Tensor, rate: int, to: int) -> Tensor:
    """Return what `resample` does without looking for torchaudio.

    Sample j of the result lies at j * rate / to. After every `to` of them, both rates reduced, the same weights come
    again, for samples that are `rate` further on. Weights are kept where the window is not 0: torchaudio's rows are as
    long as the reduced rate, which makes gigabytes where the rates have no common divisor.
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
    """Return the weights (to, width) of samples around each place, the first of these samples, and the margin."""
    import torch

    bandwidth = min(rate, to) * ROLLOFF
    reach = math.ceil(ZEROS * rate / bandwidth)
    # In whole numbers: where a sample lies between two others must not be lost to rounding.
    places = torch.arange(to) * rate
    first = places // to - reach
    offsets = torch.arange(2 * reach + 2)
    apart = ((first[:, None] + offsets) * to - places[:, None]).double() / to
    t = (apart * bandwidth / rate).clamp(-ZEROS, ZEROS)
    weights = torch.sinc(t) * (t * math.pi / ZEROS / 2).cos().square() * bandwidth / rate
    margin = reach + 1
    return weights.float(), first + margin, margin
