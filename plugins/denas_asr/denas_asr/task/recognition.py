"""The task ``asr/speech-recognition``."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from denas_asr.vocabulary.choice import is_file
from denas_core import (
    Answer,
    Batch,
    Metric,
    Outputs,
    SearchSpace,
    Split,
    Task,
    TaskData,
    WrongAnswer,
    option,
    worst_answers,
)
from denas_core.errors import ConfigError

from .data_options import DataOptions
from .form import form_of
from .log_mel_input import LogMelInput, log_mel_input
from .reading import evaluation_data, training_data
from .recordings import audio_files, recording_reader
from .split import SpeechSample, speech_split

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_asr.decoding.attention_scorer import Network
    from denas_asr.decoding.decode import DecodingSettings
    from denas_core import DataDescription
    from denas_core.legacy import KeyTable

SLOWEST, FASTEST = 50, 200


@dataclasses.dataclass(kw_only=True)
class SpeechRecognition(DataOptions, Task[SpeechSample]):
    """Speech recognition: transcribe utterances.

    It reads LibriSpeech as it is unpacked, tables and JSON lines of audio files with transcripts, data of Kaldi, and
    audio files with texts beside them.
    """

    metric: ClassVar[Metric] = Metric(name="wer", direction="minimize", worst=1.0, is_share=True)
    # The schedule of the original DE-NAS, whose warm-up of 2,500 steps is 5 % of its steps on train-clean-100.
    recipe: ClassVar[Mapping[str, Any]] = {
        "epochs": 60,
        "batch_size": 32,
        "optimizer": "adamw",
        "lr": 1e-3,
        "weight_decay": 0.0,
        "schedule": "noam",
        "warmup": 0.05,
        "clip": 5.0,
        "label_smoothing": 0.1,
    }

    # Four minutes: recordings of very different lengths may meet in a batch.
    longest_batch: ClassVar[float] = 240.0

    ctc_loss: float = option(
        0.3, "Weight of CTC in the loss; the decoder has the remaining weight", at_least=0, at_most=1
    )
    decoding: Literal["greedy", "beam", "joint"] = option(
        "greedy", "Decoding in an evaluation: by CTC (greedy, beam), or CTC and the attention decoder (joint)"
    )
    beam: int = option(10, "Number of hypotheses that beam and joint decoding keep", at_least=1)
    ctc_weight: float = option(0.4, "Weight of CTC in joint decoding", at_least=0, at_most=1)
    lm: str = option("", "Language model for beam and joint: n-gram file, or folder of a transformers model")
    lm_weight: float = option(0.5, "Weight of the language model", at_least=0)
    word_bonus: float = option(1.0, "Score added for each word, if there is a language model")

    def __post_init__(self) -> None:
        """Make paths absolute, because a training may be resumed from another directory.

        Raises:
            ValueError: a speed is out of range.
        """
        if not self.speed or any(not SLOWEST <= speed <= FASTEST for speed in self.speed):
            raise ValueError(f"speed must have values from {SLOWEST} to {FASTEST} percent, got {self.speed}")
        if is_file(self.vocab):
            self.vocab = _absolute(self.vocab)
        if self.lm:
            self.lm = _absolute(self.lm)

    @classmethod
    def legacy(cls) -> KeyTable:
        """Return the translation of the original's training keys for this task."""
        from .legacy import SPEECH

        return SPEECH

    def why_unsuitable(self, space: SearchSpace) -> str:
        """Return why networks of `space` cannot process speech; empty if they can."""
        found = form_of(space)
        return found if isinstance(found, str) else ""

    def read(
        self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None
    ) -> TaskData[SpeechSample]:
        """Read the training and validation parts, or the evaluation part; see `read_split`.

        Raises:
            ConfigError: the data cannot be read, decoding settings contradict each other, or no vocabulary can be made.
        """
        form = form_of(space)
        if isinstance(form, str):
            raise ConfigError(f"space {space.id!r} cannot recognise speech: {form}")
        self.decoding_settings()
        if facts is None:
            return training_data(self, Path(data), space, form)
        return evaluation_data(self, Path(data), form, facts)

    def describe(self, data: Path) -> DataDescription | None:
        """Return hours, lengths, sample rates and characters of the data, from headers and transcripts."""
        from .describe import describe_speech

        return describe_speech(self, Path(data))

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        """Return a head with one output for each symbol of the vocabulary."""
        from denas_core import PositionHead

        return PositionHead(width, facts["symbols"])

    def collate(
        self, samples: Sequence[SpeechSample], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return features and transcripts padded to the longest; see `make_batch`."""
        from .batches import make_batch

        return make_batch(samples)

    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the combined loss of CTC and the decoder; see `joint_loss`."""
        from .loss import joint_loss

        return joint_loss(outputs, targets, ctc_share=self.ctc_loss, label_smoothing=label_smoothing)

    def predict(self, outputs: Outputs) -> Tensor:
        """Return the symbols of CTC's likeliest alignment (samples, symbols), padded with -1.

        The decoder's output is not used because its input in training is the correct transcript.
        """
        from denas_asr.decoding.greedy import greedy

        from .batches import hypotheses
        from .loss import frames_of, output_of

        logits = output_of(outputs, "ctc")
        return hypotheses(greedy(logits, frames_of(outputs, "ctc")), logits.device)

    def decode(
        self,
        space: SearchSpace,
        network: nn.Module,
        batch: Batch,
        outputs: Outputs,
        split: Split[SpeechSample],
    ) -> Tensor:
        """Return the symbols that the chosen decoder finds, in the same format as `predict`.

        Raises:
            ConfigError: the language model cannot be read, or does not fit the decoder or the vocabulary.
        """
        settings = self.decoding_settings()
        if settings.decode == "greedy":
            return self.predict(outputs)
        from denas_asr.decoding.decode import decode

        from .batches import hypotheses
        from .loss import frames_of

        speech = speech_split(split, self.id)
        found = decode(
            settings,
            cast("Network", network),
            outputs.features,
            frames_of(outputs, "ctc"),
            speech.vocabulary,
            language_model=speech.language_model(settings),
        )
        return hypotheses(found, outputs.features.device)

    def details(
        self,
        space: SearchSpace,
        network: nn.Module | None,
        batch: Batch,
        outputs: Outputs,
        split: Split[SpeechSample],
    ) -> Tensor:
        """Return the symbols that the chosen decoder finds. An exported network can only be decoded greedily."""
        if network is None and self.decoding != "greedy":
            raise ConfigError(
                f"decoding {self.decoding!r} needs the trained network, and an export has only its outputs; decode "
                "the trained run, or choose --decode greedy"
            )
        return super().details(space, network, batch, outputs, split)

    def items(self, path: Path) -> Iterator[tuple[str, Path]]:
        """Yield an audio file, or every audio file in a folder."""
        yield from ((str(file), file) for file in audio_files([path]))

    def input_reader(
        self, space: SearchSpace, *, facts: Mapping[str, Any]
    ) -> Callable[[Path], Split[SpeechSample]]:
        """Return a function that reads a recording."""
        return recording_reader(facts)

    def preprocessing(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> LogMelInput | None:
        """Return how the features of a recording are computed."""
        return log_mel_input(facts)

    def answer(self, details: Tensor, split: Split[SpeechSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the transcript."""
        return Answer(text=speech_split(split, self.id).vocabulary.decode(details[0].tolist()))

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[SpeechSample]
    ) -> dict[str, float]:
        """Return the error rates ``wer`` and ``cer`` as fractions: edits divided by the words or characters of all
        utterances.
        """
        from denas_asr.decoding.rates import character_errors, word_errors

        speech = speech_split(split, self.id)
        said = [utterance.text for utterance in speech.utterances]
        heard = [speech.vocabulary.decode(row) for row in predictions.tolist()]
        return {"wer": word_errors(said, heard).rate, "cer": character_errors(said, heard).rate}

    def worst_answers(
        self,
        predictions: Tensor,
        targets: Mapping[str, Tensor],
        split: Split[SpeechSample],
        facts: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Return the utterances whose transcripts have the most word errors."""
        from denas_asr.decoding.rates import word_errors_by_utterance

        speech = speech_split(split, self.id)
        said = [utterance.text for utterance in speech.utterances]
        heard = [speech.vocabulary.decode(row) for row in predictions.tolist()]
        return worst_answers(
            (
                WrongAnswer(sample=utterance.id, expected=utterance.text, answered=text, errors=errors)
                for utterance, text, errors in zip(
                    speech.utterances, heard, word_errors_by_utterance(said, heard), strict=True
                )
            ),
            "wrong words",
        )

    def chance(self, targets: Mapping[str, Tensor], split: Split[SpeechSample]) -> float:
        """Return the word error rate of no word at all, or of the word that is in most utterances if that is lower."""
        from denas_asr.decoding.rates import word_errors

        said = [utterance.text for utterance in speech_split(split, self.id).utterances]
        counts = Counter(word for text in said for word in set(text.split()))
        answers = ["", *(word for word, _ in counts.most_common(1))]
        return min(word_errors(said, [answer] * len(said)).rate for answer in answers)

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write utterances whose letters are tones: 6 for training, 3 for validation."""
        from .example import write_example

        return write_example(folder)

    def decoding_settings(self) -> DecodingSettings:
        """Return the decoding settings of an evaluation.

        Raises:
            ConfigError: settings contradict each other.
        """
        from denas_asr.decoding.decode import DecodingSettings

        return DecodingSettings(
            decode=self.decoding,
            beam=self.beam,
            ctc_weight=self.ctc_weight,
            lm=self.lm or None,
            lm_weight=self.lm_weight,
            word_bonus=self.word_bonus,
        )


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())
