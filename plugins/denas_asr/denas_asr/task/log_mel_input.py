"""The description of features for exports: everything that another program needs to compute the same ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from denas_asr.features.fbank import LOWEST_HZ, POVEY, PREEMPHASIS
from denas_asr.features.normalisation import LEAST_SPREAD
from denas_asr.vocabulary.choice import vocabulary_of
from denas_core import Preprocessing


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LogMelInput(Preprocessing):
    """Log-mel filterbanks as Kaldi computes them, without dither, of a sound from -1 to 1.

    Attributes:
        input: Name of the input of the network, (samples, frames, mels).
        sample_rate: Values of a second; other sounds are resampled.
        mels: Number of mel bands, from `lowest_hz` to half the sample rate.
        frame_ms: Milliseconds of a frame; frames that are not whole are left out.
        hop_ms: Milliseconds between the starts of two frames.
        cmvn: ``utterance``: each band of a sound has mean 0 and standard deviation 1 over its frames, or is divided by
            `least_spread` if it varies less; ``global``: `mean` is subtracted, and the result is divided by `std`;
            ``none``: neither.
        mean: The mean of each band, if `cmvn` is ``global``.
        std: The standard deviation of each band, if `cmvn` is ``global``.
        symbols: The text of each output of CTC and of the decoder. The first three stand for no text: the blank of
            CTC, the beginning and the end.
        lowest_hz: Lower edge of the first band.
        preemphasis: Share of the value before that is subtracted from each value.
        window: The window of a frame: Hann's, raised to this power.
        least_spread: See `cmvn`.
        floor: Smallest energy of a band, before its natural logarithm.
    """

    kind: ClassVar[str] = "log-mel"
    sample_rate: int
    mels: int
    frame_ms: float
    hop_ms: float
    cmvn: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    symbols: tuple[str, ...]
    input: str = "features"
    lowest_hz: float = LOWEST_HZ
    preemphasis: float = PREEMPHASIS
    window: float = POVEY
    least_spread: float = LEAST_SPREAD
    floor: float = 2.0**-23


def log_mel_input(facts: Mapping[str, Any]) -> LogMelInput | None:
    """Return the description of the features in the facts of a training; None if they hold none."""
    if "features" not in facts:
        return None
    features = facts["features"]
    return LogMelInput(
        sample_rate=features["rate"],
        mels=features["mels"],
        frame_ms=features["frame_ms"],
        hop_ms=features["hop_ms"],
        cmvn=features["cmvn"],
        mean=tuple(features.get("mean", ())),
        std=tuple(features.get("std", ())),
        symbols=vocabulary_of(facts["vocabulary"]).pieces,
    )
