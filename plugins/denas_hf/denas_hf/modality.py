"""Modalities: kinds of inputs, with the batches for each kind and the head classes that transformers has for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denas_core import Batch, BatchKind, Preprocessing, SoundInput, continuous_batch
from denas_core.networks import token_batch

if TYPE_CHECKING:
    from torch import Tensor

TARGET = "target_ids"
"""Name of the input with the output text, see `denas_core.TargetTokenHead`."""

SAMPLING_RATE = 16_000
"""Sample rate in Hz with which all audio networks are trained."""


IMAGE_SIDE = 224
"""Pixels of a side of an image, if the configuration does not say it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The sizes of a sample that the network does not fix.

    Attributes:
        tokens: Number of tokens of a text.
        positions: Tokens of the longest text; None if there is no limit.
        seconds: Length of a sound.
    """

    tokens: int
    positions: int | None
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Modality:
    """A kind of inputs.

    Attributes:
        classifier: The transformers class with a head for a whole sample; empty if there is none.
        positional: Classes with a head for each position, by number of outputs; None stands for any other number.
        next_token: The class with a score for the token that follows each position; empty if positions see later ones.
        target_token: The class with such scores for a second text, which is written from the first; empty if there is
            none.
        states: Names of the outputs of a network without a head, with the transformers fields that hold them; a head
            takes the first.
        is_text: Whether samples are texts.
        tasks_from: The distribution of DE-NAS with tasks for such inputs; empty if there is none.
    """

    classifier: str
    positional: Mapping[int | None, str] = dataclasses.field(default_factory=dict)
    next_token: str = ""
    target_token: str = ""
    states: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"logits": "last_hidden_state"})
    is_text: bool = True
    tasks_from: str = "denas-nlp"

    def batch(
        self, config: Any, sample: Sample, size: int, *, seed: int, kind: BatchKind, token_types: bool
    ) -> Batch:
        """Return `size` samples for networks of `config`."""
        raise NotImplementedError

    def preprocessing(self) -> Preprocessing | None:
        """Return how the inputs are made, if that is the same for all checkpoints."""
        return None

    def completed(self, config: Any, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `inputs` with the inputs that can be derived from them."""
        return dict(inputs)


class Text(Modality):
    """Tokens of a text."""

    def batch(
        self, config: Any, sample: Sample, size: int, *, seed: int, kind: BatchKind, token_types: bool
    ) -> Batch:
        """Return rows of tokens; see `token_batch`."""
        return token_batch(
            size,
            tokens=sample.tokens,
            vocabulary=config.vocab_size,
            seed=seed,
            kind=kind,
            segments=token_types,
            positions=sample.positions,
        )


class TextToText(Text):
    """Tokens of an input text and of an output text; by default, the output is the same as the input."""

    def completed(self, config: Any, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `inputs` with the decoder's tokens: a first token, and then those of the output text but the last."""
        import torch

        if "decoder_input_ids" in inputs:
            return dict(inputs)
        inputs = dict(inputs)
        tokens = inputs.pop(TARGET, inputs["input_ids"])
        named = (getattr(config, name, None) for name in ("decoder_start_token_id", "pad_token_id"))
        first = next((token for token in named if token is not None), 0)
        begin = torch.full_like(tokens[:, :1], first)
        return {**inputs, "decoder_input_ids": torch.cat([begin, tokens[:, :-1]], 1)}


class Image(Modality):
    """Normalised images."""

    def batch(
        self, config: Any, sample: Sample, size: int, *, seed: int, kind: BatchKind, token_types: bool
    ) -> Batch:
        """Return images (samples, channels, height, width)."""
        # Convolutions take images of any size, which their configuration then does not say.
        side = getattr(config, "image_size", None) or IMAGE_SIDE
        height, width = side if isinstance(side, (list, tuple)) else (side, side)
        shape = (config.num_channels, height, width)
        return continuous_batch(shape, size, seed=seed, kind=kind, name="pixel_values")


class Audio(Modality):
    """Normalised sounds."""

    def preprocessing(self) -> SoundInput:
        """Return normalised sounds at the sample rate of all audio networks."""
        return SoundInput(input="input_values", sample_rate=SAMPLING_RATE, is_normalised=True)

    def batch(
        self, config: Any, sample: Sample, size: int, *, seed: int, kind: BatchKind, token_types: bool
    ) -> Batch:
        """Return sounds (samples, values)."""
        values = max(1, round(sample.seconds * SAMPLING_RATE))
        batch = continuous_batch((values,), size, seed=seed, kind=kind, name="input_values")
        units = {**batch.units, "audio_seconds": size * values / SAMPLING_RATE}
        return dataclasses.replace(batch, units=units)


class Spectrogram(Modality):
    """Normalised spectrograms of sounds of one length."""

    def batch(
        self, config: Any, sample: Sample, size: int, *, seed: int, kind: BatchKind, token_types: bool
    ) -> Batch:
        """Return spectrograms (samples, frames, bins)."""
        shape = (config.max_length, config.num_mel_bins)
        return continuous_batch(shape, size, seed=seed, kind=kind, name="input_values")


class SpeechToText(Modality):
    """Normalised spectrograms of sounds of one length, and tokens of the text that is said."""

    def batch(
        self, config: Any, sample: Sample, size: int, *, seed: int, kind: BatchKind, token_types: bool
    ) -> Batch:
        """Return spectrograms (samples, bins, frames) and rows of tokens."""
        frames = 2 * config.max_source_positions
        shape = (config.num_mel_bins, frames)
        sounds = continuous_batch(shape, size, seed=seed, kind=kind, name="input_features")
        texts = token_batch(
            size,
            tokens=sample.tokens,
            vocabulary=config.vocab_size,
            seed=seed,
            kind=kind,
            segments=False,
            positions=sample.positions,
        )
        inputs = {**sounds.inputs, "decoder_input_ids": texts.inputs["input_ids"]}
        return dataclasses.replace(sounds, inputs=inputs)


_POSITIONAL = {2: "AutoModelForQuestionAnswering", None: "AutoModelForTokenClassification"}
TEXT = Text(classifier="AutoModelForSequenceClassification", positional=_POSITIONAL)
CAUSAL_TEXT = dataclasses.replace(TEXT, next_token="AutoModelForCausalLM")
"""A text of which a position sees only what comes before."""
# T5's classifier is not listed: it needs texts that end with an end token, which a batch of noise does not have.
TEXT_TO_TEXT = TextToText(
    classifier="",
    positional=_POSITIONAL,
    target_token="AutoModelForSeq2SeqLM",
    states={"decoder": "last_hidden_state", "encoder": "encoder_last_hidden_state"},
)
IMAGE = Image(classifier="AutoModelForImageClassification", is_text=False, tasks_from="denas-cv")
AUDIO = Audio(classifier="AutoModelForAudioClassification", is_text=False, tasks_from="")
SPECTROGRAM = Spectrogram(classifier="AutoModelForAudioClassification", is_text=False, tasks_from="")
SPEECH_TO_TEXT = SpeechToText(
    classifier="",
    states={"decoder": "last_hidden_state", "encoder": "encoder_last_hidden_state"},
    is_text=False,
    tasks_from="",
)
