"""Compute features of utterances, optionally at another speed, and cache them."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from denas_asr.features.fbank import Fbank, log_mel
from denas_asr.features.normalisation import Normalisation, measure_normalisation
from denas_asr.features.speed import change_speed
from denas_core import derive_rng

from .audio import LONGEST, read_audio
from .cache import FeatureCache
from .utterance import Utterance

if TYPE_CHECKING:
    from torch import Tensor

MEASURED = 1000
"""Greatest number of utterances used to measure a normalisation."""


@dataclasses.dataclass(kw_only=True)
class FeatureReader:
    """Computes the features of utterances.

    Attributes:
        rate: Sample rate in Hz; other audio is resampled to it.
        fbank: Settings of the filterbanks.
        speeds: Speeds in percent; training draws one of them for each utterance.
        cache_mb: Megabytes of features that each reading process caches. With 80 bands, an hour of audio takes 115 MB
            at each speed.
        longest: Greatest length of an utterance in seconds.
    """

    rate: int = 16_000
    fbank: Fbank = dataclasses.field(default_factory=Fbank)
    speeds: Sequence[int] = (100,)
    cache_mb: float = 1000.0
    longest: float = LONGEST

    def __post_init__(self) -> None:
        """Create an empty cache."""
        self._cache = FeatureCache(self.cache_mb * 1e6)

    def read(self, utterance: Utterance, rng: random.Random | None = None) -> Tensor:
        """Return log-mel features (frames, bands); callers must not change them because they are cached.

        Args:
            utterance: The utterance to read.
            rng: Random generator that draws the speed; None keeps the original speed.

        Raises:
            UnreadableAudio: the file cannot be read; the text names it.
        """
        percent = 100 if rng is None else rng.choice(self.speeds)
        return self._cache.get(
            (utterance.audio, utterance.start, utterance.end, percent),
            lambda: self._computed(utterance, percent),
        )

    def _computed(self, utterance: Utterance, percent: int) -> Tensor:
        waveform = read_audio(
            str(utterance.audio), self.rate, start=utterance.start, end=utterance.end, longest=self.longest
        )
        return log_mel(change_speed(waveform, percent), self.rate, self.fbank)


def normalisation_of(reader: FeatureReader, utterances: Sequence[Utterance]) -> Normalisation:
    """Return the normalisation for training utterances, measured at original speed on at most `MEASURED` of them.

    Raises:
        ConfigError: a file cannot be read; the text names it.
    """
    chosen = derive_rng(0, "measured utterances").sample(
        range(len(utterances)), min(len(utterances), MEASURED)
    )
    return measure_normalisation(reader.read(utterances[index]) for index in chosen)
