"""From audio to the features that networks take, in training and from the facts of a trained model."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from denas_asr.data.features import FeatureReader, normalisation_of
from denas_asr.data.utterance import Utterance
from denas_asr.features.fbank import Fbank
from denas_asr.features.normalisation import Normalisation, normalise_by_utterance
from denas_asr.features.spec_augment import SpecAugment

if TYPE_CHECKING:
    from torch import Tensor

Cmvn = Literal["utterance", "global", "none"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeaturePipeline:
    """Computes normalised log-mel features from audio; in training it also changes speed and masks parts.

    Attributes:
        reader: Computes log-mel features.
        cmvn: Whether bands are normalised with the statistics of each utterance, of the training data, or not at all.
        normalisation: The statistics of the training data, if `cmvn` is ``global``.
        masks: The masks for training utterances; None for no masks.
    """

    reader: FeatureReader
    cmvn: Cmvn
    normalisation: Normalisation | None = None
    masks: SpecAugment | None = None

    def features(self, utterance: Utterance, rng: random.Random | None = None) -> Tensor:
        """Return features (frames, mels), float32.

        Args:
            utterance: The utterance to read.
            rng: Random generator that draws speed and masks; None returns the unchanged utterance.

        Raises:
            UnreadableAudio: the file is damaged, cut off or empty.
        """
        features = self._normalise(self.reader.read(utterance, rng))
        return features if rng is None or self.masks is None else self.masks.apply(features, rng)

    def frames(self, seconds: float) -> int:
        """Return the number of frames of an utterance."""
        return self.reader.fbank.frames(round(seconds * self.reader.rate), self.reader.rate)

    def with_normalisation_of(self, utterances: Sequence[Utterance]) -> FeaturePipeline:
        """Return a copy with the normalisation measured on `utterances` if `cmvn` is ``global``; otherwise itself.

        Raises:
            ConfigError: a file cannot be read; the text names it.
        """
        if self.cmvn != "global":
            return self
        return dataclasses.replace(self, normalisation=normalisation_of(self.reader, utterances))

    def _normalise(self, features: Tensor) -> Tensor:
        if self.normalisation is not None:
            return self.normalisation.apply(features)
        return normalise_by_utterance(features) if self.cmvn == "utterance" else features

    def as_facts(self) -> dict[str, Any]:
        """Return values for JSON from which `from_facts` makes the same pipeline."""
        return {
            "rate": self.reader.rate,
            **dataclasses.asdict(self.reader.fbank),
            "cmvn": self.cmvn,
            **({} if self.normalisation is None else self.normalisation.as_facts()),
        }

    @classmethod
    def from_facts(
        cls, facts: Mapping[str, Any], *, cache_mb: float = 0.0, longest: float
    ) -> FeaturePipeline:
        """Return the pipeline that `as_facts` described.

        Args:
            facts: The facts.
            cache_mb: Megabytes of features to cache.
            longest: Greatest length of an utterance in seconds.
        """
        fbank = Fbank(**{field.name: facts[field.name] for field in dataclasses.fields(Fbank)})
        return cls(
            reader=FeatureReader(rate=facts["rate"], fbank=fbank, cache_mb=cache_mb, longest=longest),
            cmvn=facts["cmvn"],
            normalisation=Normalisation.from_facts(facts) if facts["cmvn"] == "global" else None,
        )
