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
        input: Name of the input of the network.
        layout: The order of its dimensions.
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
        frames: Number of frames of a clip; 0 for any number. A sound that is too short gets silence before and after
            it; of a longer one, the part with the most energy is used.
    """

    kind: ClassVar[str] = "log-mel"
    sample_rate: int
    mels: int
    frame_ms: float
    hop_ms: float
    cmvn: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    symbols: tuple[str, ...] = ()
    input: str = "features"
    layout: str = "samples, frames, mels"
    frames: int = 0
    lowest_hz: float = LOWEST_HZ
    preemphasis: float = PREEMPHASIS
    window: float = POVEY
    least_spread: float = LEAST_SPREAD
    floor: float = 2.0**-23


def log_mel_input(facts: Mapping[str, Any]) -> LogMelInput | None:
    """Return the description of the features in the facts of a training; None if they hold none."""
    if "features" not in facts:
        return None
    return _made(facts["features"], symbols=vocabulary_of(facts["vocabulary"]).pieces)


def clip_input(facts: Mapping[str, Any], name: str) -> LogMelInput | None:
    """Return the description of clips of a fixed length in the facts of a training; None if they hold none.

    Args:
        facts: The facts.
        name: Name of the input of the network.
    """
    if "features" not in facts:
        return None
    return _made(
        facts["features"],
        input=name,
        layout="samples, mels, frames",
        frames=facts["features"]["frames"],
        cmvn="global",
        activation="softmax",
    )


def _made(features: Mapping[str, Any], **others: Any) -> LogMelInput:
    return LogMelInput(
        **{
            "sample_rate": features["rate"],
            "mels": features["mels"],
            "frame_ms": features["frame_ms"],
            "hop_ms": features["hop_ms"],
            "cmvn": features.get("cmvn", ""),
            "mean": tuple(features.get("mean", ())),
            "std": tuple(features.get("std", ())),
            **others,
        }
    )
