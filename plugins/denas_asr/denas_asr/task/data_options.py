"""The options of speech recognition that say how data are read."""

from __future__ import annotations

import dataclasses

from denas_asr.data.forms.columns import Columns
from denas_asr.vocabulary.choice import CHARACTERS
from denas_core import option

from .feature_pipeline import Cmvn


@dataclasses.dataclass(kw_only=True)
class DataOptions:
    """The options with which parts of the data are found, read and turned into features."""

    train: str = option("", "Training part; by default the only one whose name begins with train")
    dev: str = option("", "Validation part; by default the only one whose name begins with dev or val")
    split: str = option(
        "", "Part for an evaluation; by default the only test part, else the validation part of the training"
    )
    valid_share: float = option(
        0.1,
        "Share of the training part used for validation if the data have no part for validation",
        above=0.0,
        at_most=0.5,
    )
    audio: str = option("", "Column of the audio files in a table or in JSON; by default found by its name")
    text: str = option("", "Column of the transcripts in a table or in JSON; by default found by its name")
    vocab: str = option(
        CHARACTERS,
        "Vocabulary: char, sentencepiece:N for N pieces of the training part, or a SentencePiece .model file",
    )
    rate: int = option(
        16_000, "Sample rate in Hz to which audio is resampled", at_least=1000, at_most=192_000
    )
    cmvn: Cmvn = option(
        "utterance", "Statistics that normalise mel bands: of each utterance, or of all training data"
    )
    speed: list[int] = option(
        [90, 100, 110],
        "Speeds in percent; each training utterance is played at one of them; [100] keeps the speed",
    )
    spec_augment: bool = option(True, "Mask bands and time spans of training utterances")
    max_seconds: float = option(40.0, "Longer utterances, in seconds, are left out", at_least=0.1)
    strict: bool = option(
        False, "Refuse data with any fault, instead of leaving faulty utterances out with a notice"
    )
    decode_first: bool = option(
        True, "Decode all audio before training to find every damaged file; if false, read only headers"
    )
    cache_mb: float = option(
        1000.0, "Megabytes of features that each reading process keeps in memory", at_least=0
    )

    @property
    def columns(self) -> Columns:
        """Return the columns of manifests that the options name."""
        return Columns(audio=self.audio, text=self.text)
