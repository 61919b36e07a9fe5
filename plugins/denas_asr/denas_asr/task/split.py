"""Utterances as samples of a task."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from denas_asr.data.utterance import Utterance
from denas_asr.vocabulary.vocabulary import Vocabulary
from denas_core import Split
from denas_core.errors import PluginError

from .feature_pipeline import FeaturePipeline

if TYPE_CHECKING:
    from torch import Tensor

    from denas_asr.decoding.decode import DecodingSettings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSample:
    """An utterance as a network's sample.

    Attributes:
        features: (frames, mels).
        symbols: The transcript in symbols of the vocabulary.
    """

    features: Tensor
    symbols: tuple[int, ...]


class SpeechSplit(Split[SpeechSample]):
    """A split of utterances, whose audio is read when a sample is requested.

    Attributes:
        utterances: The utterances in order.
        pipeline: Computes features from their audio.
        vocabulary: Turns their transcripts into symbols.
    """

    def __init__(
        self, utterances: Sequence[Utterance], pipeline: FeaturePipeline, vocabulary: Vocabulary
    ) -> None:
        self.utterances = list(utterances)
        self.pipeline = pipeline
        self.vocabulary = vocabulary
        self._language_models: dict[DecodingSettings, Any] = {}

    def __len__(self) -> int:
        return len(self.utterances)

    def sample(self, index: int, rng: random.Random | None = None) -> SpeechSample:
        """Return an utterance; with `rng`, its speed is changed and parts of it are masked.

        Raises:
            UnreadableAudio: the file is damaged.
        """
        utterance = self.utterances[index]
        return SpeechSample(
            features=self.pipeline.features(utterance, rng),
            symbols=tuple(self.vocabulary.encode(utterance.text)),
        )

    def length(self, index: int) -> float:
        """Return the length of an utterance in seconds."""
        return self.utterances[index].seconds

    def language_model(self, settings: DecodingSettings) -> Any:
        """Return the language model named in `settings`, read only once; None if they name none.

        Raises:
            ConfigError: the model cannot be read, or does not fit.
        """
        from denas_asr.decoding.decode import read_language_model

        if settings not in self._language_models:
            self._language_models[settings] = read_language_model(settings, self.vocabulary)
        return self._language_models[settings]

    def __getstate__(self) -> dict[str, Any]:
        # Worker processes read samples but do not decode, so the language model is not sent to them.
        return {**self.__dict__, "_language_models": {}}


def speech_split(split: Split[SpeechSample], id: str) -> SpeechSplit:
    """Return `split` as a split of utterances.

    Raises:
        PluginError: it is another one. `id` names the task.
    """
    if not isinstance(split, SpeechSplit):
        raise PluginError(f"{id!r} measures utterances, not {type(split).__name__}")
    return split
