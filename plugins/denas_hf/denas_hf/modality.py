"""Modalities: what inputs of networks are, how a batch of them is made and which heads transformers has for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denas_core import Batch, BatchKind, continuous_batch
from denas_core.networks import token_batch

if TYPE_CHECKING:
    from torch import Tensor

SAMPLING_RATE = 16_000
"""What all networks for sounds are trained with, in Hz."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Sizes of a sample, as far as its network leaves them open.

    Attributes:
        tokens: Tokens of a text.
        seconds: Seconds of a sound.
    """

    tokens: int
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Modality:
    """What inputs are.

    Attributes:
        classifier: The class of transformers with a head for a whole sample; empty where there is none.
        positional: Classes with heads for each position, by number of outputs; None stands for any other number.
        states: Names of the outputs of a network without a head, and of the fields of transformers that hold them; the
            first is what a head would take.
        is_text: Whether samples are texts.
        tasks_from: The distribution of DE-NAS with tasks for such inputs; empty where there is none.
    """

    classifier: str
    positional: Mapping[int | None, str] = dataclasses.field(default_factory=dict)
    states: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"logits": "last_hidden_state"})
    is_text: bool = True
    tasks_from: str = "denas-nlp"

    def batch(
        self, config: Any, sample: Sample, size: int, *, seed: int, kind: BatchKind, token_types: bool
    ) -> Batch:
        """Return `size` samples for networks of `config`."""
        raise NotImplementedError

    def completed(self, config: Any, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `inputs` with those that follow from them."""
        return dict(inputs)


class Text(Modality):
    """Tokens of a text."""

    def batch(
        self, config: Any, sample: Sample, size: int, *, seed: int, kind: BatchKind, token_types: bool
    ) -> Batch:
        """Return rows of tokens, see `token_batch`."""
        return token_batch(
            size,
            tokens=sample.tokens,
            vocabulary=config.vocab_size,
            seed=seed,
            kind=kind,
            segments=token_types,
        )


class TextToText(Text):
    """Tokens of a text that is read, and of one that is written; by default the same, one place later."""

    def completed(self, config: Any, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `inputs` with those of the decoder: those of the encoder behind a first token."""
        import torch

        if "decoder_input_ids" in inputs:
            return dict(inputs)
        tokens = inputs["input_ids"]
        named = (getattr(config, name, None) for name in ("decoder_start_token_id", "pad_token_id"))
        first = next((token for token in named if token is not None), 0)
        begin = torch.full_like(tokens[:, :1], first)
        return {**inputs, "decoder_input_ids": torch.cat([begin, tokens[:, :-1]], 1)}


class Image(Modality):
    """Images, normalised."""

    def batch(
        self, config: Any, sample: Sample, size: int, *, seed: int, kind: BatchKind, token_types: bool
    ) -> Batch:
        """Return images (samples, channels, height, width)."""
        side = config.image_size
        height, width = side if isinstance(side, (list, tuple)) else (side, side)
        shape = (config.num_channels, height, width)
        return continuous_batch(shape, size, seed=seed, kind=kind, name="pixel_values")


class Audio(Modality):
    """Sounds, normalised."""

    def batch(
        self, config: Any, sample: Sample, size: int, *, seed: int, kind: BatchKind, token_types: bool
    ) -> Batch:
        """Return sounds (samples, values)."""
        values = max(1, round(sample.seconds * SAMPLING_RATE))
        batch = continuous_batch((values,), size, seed=seed, kind=kind, name="input_values")
        units = {**batch.units, "audio_seconds": size * values / SAMPLING_RATE}
        return dataclasses.replace(batch, units=units)


_POSITIONAL = {2: "AutoModelForQuestionAnswering", None: "AutoModelForTokenClassification"}
TEXT = Text(classifier="AutoModelForSequenceClassification", positional=_POSITIONAL)
# The classifier of T5 needs a text to end in its own end token, which a batch of noise does not.
TEXT_TO_TEXT = TextToText(
    classifier="",
    positional=_POSITIONAL,
    states={"decoder": "last_hidden_state", "encoder": "encoder_last_hidden_state"},
)
IMAGE = Image(classifier="AutoModelForImageClassification", is_text=False, tasks_from="denas-cv")
AUDIO = Audio(classifier="AutoModelForAudioClassification", is_text=False, tasks_from="")
