"""Features of utterances: read, spoken at another speed, and kept."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from denas_asr.features.fbank import Fbank, log_mel
from denas_asr.features.normalisation import Normalisation, measured
from denas_asr.features.speed import at_speed
from denas_core import derive_rng

from .audio import LONGEST, read_audio
from .cache import FeatureCache
from .utterance import Utterance

if TYPE_CHECKING:
    from torch import Tensor

MEASURED = 1000
"""Utterances that a normalisation is measured on, at most."""


@dataclasses.dataclass(kw_only=True)
class FeatureReader:
    """What makes features of an utterance.

    Attributes:
        rate: Samples a second; audio of other rates is resampled.
        fbank: What filterbanks are like.
        speeds: Speeds in percent that training draws from.
        cache_mb: Megabytes of features that are kept, by each process that reads; 80 bands take 115 for an hour of
            audio, at each speed.
        longest: Seconds that an utterance may last.
    """

    rate: int = 16_000
    fbank: Fbank = dataclasses.field(default_factory=Fbank)
    speeds: Sequence[int] = (100,)
    cache_mb: float = 1000.0
    longest: float = LONGEST

    def __post_init__(self) -> None:
        """Keep nothing yet."""
        self._cache = FeatureCache(self.cache_mb * 1e6)

    def read(self, utterance: Utterance, rng: random.Random | None = None) -> Tensor:
        """Return log-mel features (frames, bands), which nobody may change: they are kept.

        Args:
            utterance: Where its audio is.
            rng: What its speed is drawn from; None for its own.

        Raises:
            UnreadableAudio: naming the file.
        """
        percent = 100 if rng is None else rng.choice(self.speeds)
        return self._cache.get((utterance.audio, percent), lambda: self._computed(utterance, percent))

    def _computed(self, utterance: Utterance, percent: int) -> Tensor:
        waveform = read_audio(str(utterance.audio), self.rate, longest=self.longest)
        return log_mel(at_speed(waveform, percent), self.rate, self.fbank)


def normalisation_of(reader: FeatureReader, utterances: Sequence[Utterance]) -> Normalisation:
    """Return the normalisation of training utterances as they are, measured on at most `MEASURED` of them.

    Raises:
        ConfigError: naming the file that cannot be read.
    """
    chosen = derive_rng(0, "measured utterances").sample(
        range(len(utterances)), min(len(utterances), MEASURED)
    )
    return measured(reader.read(utterances[index]) for index in chosen)
