"""What networks hear of an utterance, the same in training and from the facts of a trained model."""

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
    """What is made of audio: frames of log-mel filterbanks, normalised; of utterances to learn from, with masks.

    Attributes:
        reader: Makes filterbanks.
        cmvn: Whether bands are normalised by each utterance, by what training has, or not.
        normalisation: What training has.
        masks: What utterances to learn from lack; None for nothing.
    """

    reader: FeatureReader
    cmvn: Cmvn
    normalisation: Normalisation | None = None
    masks: SpecAugment | None = None

    def features(self, utterance: Utterance, rng: random.Random | None = None) -> Tensor:
        """Return features (frames, mels), float32.

        Args:
            utterance: Where its audio is.
            rng: What its speed and its masks are drawn from; None for the utterance as it is.

        Raises:
            UnreadableAudio: it is damaged, cut off or empty.
        """
        features = self._normalise(self.reader.read(utterance, rng))
        return features if rng is None or self.masks is None else self.masks.apply(features, rng)

    def frames(self, seconds: float) -> int:
        """Return the frames of an utterance."""
        return self.reader.fbank.frames(round(seconds * self.reader.rate), self.reader.rate)

    def with_normalisation_of(self, utterances: Sequence[Utterance]) -> FeaturePipeline:
        """Return the same with the normalisation that some utterances have, if it is to have one.

        Raises:
            ConfigError: naming the file that cannot be read.
        """
        if self.cmvn != "global":
            return self
        return dataclasses.replace(self, normalisation=normalisation_of(self.reader, utterances))

    def _normalise(self, features: Tensor) -> Tensor:
        if self.normalisation is not None:
            return self.normalisation.apply(features)
        return normalise_by_utterance(features) if self.cmvn == "utterance" else features

    def as_facts(self) -> dict[str, Any]:
        """Return what `from_facts` reads, fit for JSON."""
        return {
            "rate": self.reader.rate,
            **dataclasses.asdict(self.reader.fbank),
            "cmvn": self.cmvn,
            **({} if self.normalisation is None else self.normalisation.as_facts()),
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], *, cache_mb: float = 0.0, longest: float) -> FeaturePipeline:
        """Return what `as_facts` has put down.

        Args:
            facts: The facts.
            cache_mb: Megabytes of features that are kept.
            longest: Seconds that an utterance may last.
        """
        fbank = Fbank(**{field.name: facts[field.name] for field in dataclasses.fields(Fbank)})
        return cls(
            reader=FeatureReader(rate=facts["rate"], fbank=fbank, cache_mb=cache_mb, longest=longest),
            cmvn=facts["cmvn"],
            normalisation=Normalisation.from_facts(facts) if facts["cmvn"] == "global" else None,
        )
