"""Recordings of a user as samples of a trained network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_asr.data.audio import EXTENSIONS, LONGEST, EmptyAudio, read_header
from denas_asr.data.listing import walk
from denas_asr.data.utterance import Utterance
from denas_asr.vocabulary.choice import vocabulary_of
from denas_core.errors import ConfigError

from .feature_pipeline import FeaturePipeline
from .split import SpeechSample, SpeechSplit

if TYPE_CHECKING:
    from denas_asr.decoding.decode import DecodingSettings


class RecordingSplit(SpeechSplit):
    """One recording, whose features are computed when it is opened."""

    def sample(self, index: int, rng: Any = None) -> SpeechSample:
        """Return the recording.

        Raises:
            UnreadableAudio: the file is damaged, or shorter than one frame of features.
        """
        sample = super().sample(index, rng)
        if not len(sample.features):
            raise EmptyAudio(f"audio {str(self.utterances[index].audio)!r} is too short to hold a word")
        return sample


def recording_reader(facts: Mapping[str, Any]) -> Callable[[Path], RecordingSplit]:
    """Return a function that reads a recording. All splits that it returns share a language model.

    Args:
        facts: The facts of the trained network.
    """
    pipeline = FeaturePipeline.from_facts(facts["features"], longest=LONGEST)
    vocabulary = vocabulary_of(facts["vocabulary"])
    language_models: dict[DecodingSettings, Any] = {}

    def read(path: Path) -> RecordingSplit:
        seconds = read_header(str(path)).seconds
        utterance = Utterance(id=path.name, audio=path, text="", seconds=seconds, speaker="")
        split = RecordingSplit([utterance], pipeline, vocabulary)
        split._language_models = language_models
        return split

    return read


def audio_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the given files, and for each folder the audio files in it, in order.

    Raises:
        ConfigError: a folder has no audio file.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(
            listing.path / name
            for listing in walk(path)
            for name in listing.files
            if name.lower().endswith(EXTENSIONS)
        )
        if not found:
            raise ConfigError(f"{str(path)!r} has no audio; looked for {', '.join(EXTENSIONS)}")
        yield from found
