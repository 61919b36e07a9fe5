"""Signals that anyone can make again, to compare features of other makers with.

The golden values in ``golden/features.json`` are what torchaudio 2.11 puts out for them; with torchaudio installed,
``python -m tests.asr.signals`` writes them anew.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

GOLDEN = Path(__file__).parent / "golden" / "features.json"

FILTERBANKS = [
    ("chirp", 16000, 3200, {}),
    ("noise", 16000, 1700, {}),
    ("onset", 16000, 1600, {}),
    ("chirp", 8000, 800, {"mels": 23}),
    ("noise", 22050, 1400, {"mels": 40, "frame_ms": 32.0, "hop_ms": 12.5}),
]
"""Signal, samples a second, samples and options."""

RATES = [
    (44100, 16000),
    (22050, 16000),
    (48000, 16000),
    (8000, 16000),
    (95, 100),
    (104, 100),
    (9, 10),
    (11, 10),
]
RESAMPLED = 400
"""Samples of noise that are resampled."""


def noise(samples: int, seed: int = 1) -> Tensor:
    """Return numbers from -1 to 1: x' = 1664525 x + 1013904223 modulo 2**32, beginning after `seed`."""
    values = []
    for _ in range(samples):
        seed = (1664525 * seed + 1013904223) % 2**32
        values.append(seed / 2**31 - 1)
    return torch.tensor(values)


def chirp(samples: int, rate: int) -> Tensor:
    """Return a tone that rises to 0.45 of the rate, with a little noise, and an offset that is to be removed.

    Without the noise, bands beside the tone would hold nothing but the rounding of the maker.
    """
    t = torch.arange(samples, dtype=torch.float64) / rate
    phase = 100 * t + (0.45 * rate - 100) * t.square() * rate / samples / 2
    return (0.5 * (2 * math.pi * phase).sin() + 0.01 * noise(samples) + 0.1).float()


def onset(samples: int, rate: int) -> Tensor:
    """Return silence, and noise in the second half."""
    return torch.cat([torch.zeros(samples // 2), noise(samples - samples // 2, seed=rate)])


def signal(name: str, samples: int, rate: int) -> Tensor:
    """Return a signal by its name."""
    return noise(samples) if name == "noise" else {"chirp": chirp, "onset": onset}[name](samples, rate)


def _write(torchaudio: Any) -> None:
    filterbanks = [
        torchaudio.compliance.kaldi.fbank(
            signal(name, samples, rate)[None],
            sample_frequency=float(rate),
            num_mel_bins=options.get("mels", 80),
            frame_length=options.get("frame_ms", 25.0),
            frame_shift=options.get("hop_ms", 10.0),
        )
        for name, rate, samples, options in FILTERBANKS
    ]
    resampled = [torchaudio.functional.resample(noise(RESAMPLED), *rates) for rates in RATES]
    document = {
        "filterbanks": [[[round(x, 5) for x in row] for row in found.tolist()] for found in filterbanks],
        "resampled": [[round(x, 6) for x in found.tolist()] for found in resampled],
    }
    GOLDEN.write_text(json.dumps(document).replace("], ", "],\n") + "\n")


if __name__ == "__main__":
    import torchaudio
    import torchaudio.compliance.kaldi

    _write(torchaudio)
