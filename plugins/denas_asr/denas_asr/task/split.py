"""Utterances as samples."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from denas_asr.data.utterance import Utterance
from denas_asr.vocabulary.vocabulary import Vocabulary
from denas_core import Split

from .feature_pipeline import FeaturePipeline

if TYPE_CHECKING:
    from torch import Tensor

    from denas_asr.decoding.decode import DecodingSettings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSample:
    """An utterance.

    Attributes:
        features: (frames, mels).
        symbols: What is said, in symbols of the vocabulary.
    """

    features: Tensor
    symbols: tuple[int, ...]


class SpeechSplit(Split[SpeechSample]):
    """Utterances, read from their files when they are asked for.

    Attributes:
        utterances: In order.
        pipeline: What is made of their audio.
        vocabulary: What is made of their transcripts.
    """

    def __init__(self, utterances: Sequence[Utterance], pipeline: FeaturePipeline, vocabulary: Vocabulary) -> None:
        self.utterances = list(utterances)
        self.pipeline = pipeline
        self.vocabulary = vocabulary
        self._language_models: dict[DecodingSettings, Any] = {}

    def __len__(self) -> int:
        return len(self.utterances)

    def sample(self, index: int, rng: random.Random | None = None) -> SpeechSample:
        """Return an utterance; with `rng` at another speed, and parts of it masked.

        Raises:
            UnreadableAudio: its file is damaged.
        """
        utterance = self.utterances[index]
        return SpeechSample(
            features=self.pipeline.features(utterance, rng),
            symbols=tuple(self.vocabulary.encode(utterance.text)),
        )

    def length(self, index: int) -> float:
        """Return the seconds of an utterance."""
        return self.utterances[index].seconds

    def language_model(self, settings: DecodingSettings) -> Any:
        """Return the language model that `settings` name, which is read once; None if they name none.

        Raises:
            ConfigError: it cannot be read, or does not suit.
        """
        from denas_asr.decoding.decode import read_language_model

        if settings not in self._language_models:
            self._language_models[settings] = read_language_model(settings, self.vocabulary)
        return self._language_models[settings]

    def __getstate__(self) -> dict[str, Any]:
        # Processes that read samples decode nothing.
        return {**self.__dict__, "_language_models": {}}
