"""Log-mel filterbanks as in Kaldi: ``torchaudio.compliance.kaldi.fbank`` with dither 0, written in plain torch."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING

from .backend import torchaudio

if TYPE_CHECKING:
    from torch import Tensor

LOWEST_HZ = 20.0
"""Lower edge of the first band in Hz; the last band ends at half the sample rate."""

PREEMPHASIS = 0.97

POVEY = 0.85
"""The Povey window is the Hann window raised to this power."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fbank:
    """Settings of filterbanks.

    Attributes:
        mels: Number of mel bands.
        frame_ms: Length of a frame in milliseconds.
        hop_ms: Milliseconds between the starts of two consecutive frames.
    """

    mels: int = 80
    frame_ms: float = 25.0
    hop_ms: float = 10.0

    def frames(self, samples: int, rate: int) -> int:
        """Return the number of whole frames that fit into a waveform."""
        window, hop = self.samples(rate)
        return max(0, 1 + (samples - window) // hop)

    def samples(self, rate: int) -> tuple[int, int]:
        """Return the number of samples in a frame, and between the starts of two consecutive frames."""
        # The order of the factors affects rounding; this is the order in torchaudio.
        return int(rate * self.frame_ms * 0.001), int(rate * self.hop_ms * 0.001)


DEFAULT = Fbank()


def log_mel(waveform: Tensor, rate: int, options: Fbank = DEFAULT) -> Tensor:
    """Return the logarithm of the energy in each mel band of each frame, float32 (frames, mels).

    Energies below 1.2e-7 are raised to 1.2e-7. A waveform shorter than a frame has no frames.

    Args:
        waveform: float32 (samples,), from -1 to 1.
        rate: Sample rate in Hz.
        options: Settings of the filterbanks.
    """
    if not options.frames(len(waveform), rate):
        return waveform.new_empty((0, options.mels))
    library = torchaudio()
    if library is None:
        return own_log_mel(waveform, rate, options)
    found: Tensor = library.compliance.kaldi.fbank(
        waveform[None],
        num_mel_bins=options.mels,
        frame_length=options.frame_ms,
        frame_shift=options.hop_ms,
        sample_frequency=float(rate),
        dither=0.0,
    )
    return found


def own_log_mel(waveform: Tensor, rate: int, options: Fbank = DEFAULT) -> Tensor:
    """Return the same as `log_mel`, computed without torchaudio."""
    import torch

    size, hop = options.samples(rate)
    frames = waveform.unfold(0, size, hop)
    frames = frames - frames.mean(1, keepdim=True)
    # The first sample has no predecessor, so it is used as its own.
    before = torch.cat([frames[:, :1], frames[:, :-1]], 1)
    frames = (frames - PREEMPHASIS * before) * _window(size)
    spectrum = torch.fft.rfft(frames, n=_padded(size))
    power = spectrum.real.square() + spectrum.imag.square()
    energy: Tensor = power @ _bands(rate, _padded(size), options.mels)
    return energy.clamp_(min=torch.finfo(torch.float32).eps).log_()


def _padded(size: int) -> int:
    """Return the next power of 2."""
    return 1 << (size - 1).bit_length()


@functools.lru_cache(maxsize=8)
def _window(size: int) -> Tensor:
    import torch

    return torch.hann_window(size, periodic=False).pow(POVEY)


@functools.lru_cache(maxsize=8)
def _bands(rate: int, size: int, mels: int) -> Tensor:
    """Return the weight of each frequency in each band, (size / 2 + 1, mels): triangles on the mel scale."""
    import torch

    # Computed in float32 as in torchaudio: if a band has a single frequency near its edge, the rounding of its weight
    # is visible in the result.
    lowest, highest = _mel(LOWEST_HZ), _mel(rate / 2)
    edges = lowest + torch.arange(mels + 2) * ((highest - lowest) / (mels + 1))
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    # Kaldi leaves out the last frequency, half the sample rate, because no triangle gives it any weight.
    places = 1127.0 * (1.0 + rate / size * torch.arange(size // 2 + 1) / 700.0).log()[:, None]
    rising, falling = (places - left) / (centre - left), (right - places) / (right - centre)
    weights: Tensor = torch.minimum(rising, falling).clamp(min=0)
    return weights


def _mel(hz: float) -> float:
    return 1127.0 * math.log(1.0 + hz / 700.0)
