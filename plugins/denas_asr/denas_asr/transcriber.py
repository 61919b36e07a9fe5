"""Transcribe audio files with a trained model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from denas_core import Task, TrainedModel
from denas_core.errors import ConfigError

from .data.audio import LONGEST, UnreadableAudio
from .data.utterance import Utterance
from .task.feature_pipeline import FeaturePipeline
from .task.recognition import SpeechRecognition
from .vocabulary.choice import vocabulary_of

if TYPE_CHECKING:
    from torch import Tensor

    from .decoding.attention_scorer import Network

PADDED_SECONDS = 240.0
"""Greatest length of a batch in seconds with padding, because files of very different lengths may meet in a batch."""

FRAMES_PER_SECOND = 100


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """The result for one file.

    Attributes:
        file: The file.
        text: The recognised text.
        seconds: Length of the audio.
        fault: Why the file could not be read; None if it could.
    """

    file: Path
    text: str = ""
    seconds: float = 0.0
    fault: UnreadableAudio | None = None


class Transcriber:
    """Transcribes audio files with a trained model."""

    def __init__(self, model: TrainedModel, *, task: Task[Any] | None = None, device: str = "cpu") -> None:
        """Load a trained model for transcription.

        Args:
            model: The trained model.
            task: The model's task with other decoding options; by default the options from training.
            device: The device to run on.

        Raises:
            ConfigError: the model was trained for another task, or the language model cannot be read.
        """
        import torch

        from .decoding.decode import read_language_model

        chosen = task or model.task
        if not isinstance(chosen, SpeechRecognition):
            trained_for = "nothing" if model.task is None else model.task.id
            raise ConfigError(
                f"the model was trained for {trained_for}, not for speech recognition; it cannot transcribe"
            )
        self.settings = chosen.decoding_settings()
        self._vocabulary = vocabulary_of(model.facts["vocabulary"])
        self._language_model = read_language_model(self.settings, self._vocabulary)
        self._pipeline = FeaturePipeline.from_facts(model.facts["features"], longest=LONGEST)
        self._device = torch.device(device)
        self._network = cast("Network", model.network.to(self._device).eval())

    def transcripts(self, files: Iterable[Path], *, batch_size: int = 8) -> Iterator[Transcript]:
        """Yield the transcript of each file in order; if a file cannot be read, the others are still transcribed.

        Args:
            files: Audio files of any format that can be read.
            batch_size: Greatest number of files that the network processes together.

        Raises:
            NoResult: the network or the language model returns NaN or an infinite value.
        """
        waiting: list[tuple[Path, Tensor | UnreadableAudio]] = []
        for file in files:
            features = self._read_features(file)
            if _is_full([*waiting, (file, features)], batch_size):
                yield from self._written(waiting)
                waiting = []
            waiting.append((file, features))
        yield from self._written(waiting)

    def _read_features(self, file: Path) -> Tensor | UnreadableAudio:
        try:
            return self._pipeline.features(
                Utterance(id=file.name, audio=file, text="", seconds=0.0, speaker="")
            )
        except UnreadableAudio as error:
            return error

    def _written(self, waiting: list[tuple[Path, Tensor | UnreadableAudio]]) -> Iterator[Transcript]:
        import torch
        from torch.nn.utils.rnn import pad_sequence

        from .decoding.decode import decode

        found = [features for _, features in waiting if isinstance(features, torch.Tensor) and len(features)]
        texts: list[str] = []
        if found:
            lengths = torch.tensor([len(features) for features in found], device=self._device)
            with torch.inference_mode():
                network: Any = self._network
                encoded, frames = network.encode(
                    pad_sequence(found, batch_first=True).to(self._device), lengths
                )
                symbols = decode(
                    self.settings,
                    self._network,
                    encoded,
                    frames,
                    self._vocabulary,
                    language_model=self._language_model,
                )
            texts = [self._vocabulary.decode(each) for each in symbols]
        written = iter(texts)
        for file, features in waiting:
            if isinstance(features, UnreadableAudio):
                yield Transcript(file=file, fault=features)
            else:
                # A file shorter than one frame has no features, and so an empty text.
                text = next(written) if len(features) else ""
                yield Transcript(file=file, text=text, seconds=len(features) / FRAMES_PER_SECOND)


def _is_full(waiting: list[tuple[Path, Tensor | UnreadableAudio]], batch_size: int) -> bool:
    lengths = [0 if isinstance(features, UnreadableAudio) else len(features) for _, features in waiting]
    padded = max(lengths) * len(lengths) / FRAMES_PER_SECOND
    return len(waiting) > 1 and (len(waiting) > batch_size or padded > PADDED_SECONDS)
