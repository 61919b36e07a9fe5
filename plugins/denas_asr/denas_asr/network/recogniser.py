"""Speech encoders: a front-end and an encoder, with the two outputs of speech recognition or with another head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

from torch import Tensor, nn

from denas_core import Batch, Outputs, Stage, Staged

from .decoder import Decoder
from .encoder import Encoder
from .front_end import FrontEnd
from .lengths import mask_of
from .stages import Decoding, Encoding, encoder_and_decoder
from .stepper import DecoderStepper


class SpeechEncoder(nn.Module):
    """A front-end and an encoder."""

    def __init__(self, front_end: FrontEnd, encoder: Encoder) -> None:
        super().__init__()
        self.front_end = front_end
        self.encoder = encoder

    def encode(self, features: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return the encoded frames (samples, frames / 4, width), and the number of valid ones.

        Args:
            features: (samples, frames, mels).
            lengths: Number of valid frames, (samples,); None if all are valid. Padding does not change valid frames.
        """
        x, lengths = self.front_end(features, lengths)
        mask = None if lengths is None else mask_of(lengths, x.shape[1])
        return self.encoder(x, mask), lengths


class Recogniser(SpeechEncoder, Staged):
    """A speech encoder with a CTC head for each frame, and a decoder that attends to the frames.

    Args:
        front_end: See `FrontEnd`.
        encoder: See `Encoder`.
        decoder: See `Decoder`.
        ctc_head: Linear layer from the encoder's width to the symbols.
        attention_head: Linear layer from the decoder's width to the symbols.
    """

    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {"ctc_head": ("head",), "attention_head": ("head",)}

    def __init__(
        self,
        front_end: FrontEnd,
        encoder: Encoder,
        decoder: Decoder,
        ctc_head: nn.Linear,
        attention_head: nn.Linear,
    ) -> None:
        super().__init__(front_end, encoder)
        self.decoder = decoder
        self.ctc_head = ctc_head
        self.attention_head = attention_head

    def ctc(self, encoded: Tensor) -> Tensor:
        """Return the CTC logits of each frame, (samples, frames, symbols)."""
        return cast("Tensor", self.ctc_head(encoded))

    def decode(self, tokens: Tensor, encoded: Tensor, encoded_lengths: Tensor | None = None) -> Tensor:
        """Return the logits of the symbol after each of `tokens`, (samples, symbols, vocabulary).

        Args:
            tokens: The symbols so far, (samples, symbols); each row begins with the symbol for the beginning.
            encoded: (samples, frames, width).
            encoded_lengths: Number of valid frames, (samples,); None if all are valid.
        """
        mask = None if encoded_lengths is None else mask_of(encoded_lengths, encoded.shape[1])
        return cast("Tensor", self.attention_head(self.decoder(tokens, encoded, mask)))

    def stepper(self, encoded: Tensor, encoded_lengths: Tensor) -> DecoderStepper:
        """Return a decoder that reads one symbol at a time, before its first symbol; for evaluation mode.

        Args:
            encoded: (samples, frames, width).
            encoded_lengths: Number of valid frames, (samples,).
        """
        mask = mask_of(encoded_lengths, encoded.shape[1])
        return DecoderStepper(self.decoder, self.attention_head, encoded, mask)

    def forward(self, features: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the CTC logits and the decoder's logits for a batch without padding."""
        encoded, _ = self.encode(features)
        return self.ctc(encoded), self.decode(tokens, encoded)

    def stages(self) -> tuple[Stage, Stage]:
        """Return encoder and decoder as stages for utterances without padding; they share this network's weights."""
        encoding = Encoding(self.front_end, self.encoder, self.ctc_head)
        return encoder_and_decoder(encoding, Decoding(self.decoder, self.attention_head))

    def outputs(self, batch: Batch) -> Outputs:
        """Return encoded frames and both logits, with masks if the batch has lengths."""
        tokens = batch.inputs["tokens"]
        encoded, lengths = self.encode(batch.inputs["features"], batch.lengths.get("features"))
        masks = (
            {} if lengths is None else dict.fromkeys(("features", "ctc"), mask_of(lengths, encoded.shape[1]))
        )
        if "tokens" in batch.lengths:
            masks["attention"] = mask_of(batch.lengths["tokens"], tokens.shape[1])
        logits = {"ctc": self.ctc(encoded), "attention": self.decode(tokens, encoded, lengths)}
        return Outputs(features=encoded, logits=logits, masks=masks)


class HeadedEncoder(SpeechEncoder):
    """A speech encoder with a head that takes its frames, (samples, frames, width)."""

    def __init__(self, front_end: FrontEnd, encoder: Encoder, head: nn.Module) -> None:
        super().__init__(front_end, encoder)
        self.head = head

    def forward(self, features: Tensor, tokens: Tensor | None = None) -> Tensor:
        """Return the head's output for the frames of a batch without padding; `tokens` are ignored."""
        return cast("Tensor", self.head(self.encode(features)[0]))

    def outputs(self, batch: Batch) -> Outputs:
        """Return encoded frames and the head's output for them."""
        encoded, lengths = self.encode(batch.inputs["features"], batch.lengths.get("features"))
        logits = self.head(encoded)
        masks = {}
        if lengths is not None:
            names = ("features", "logits") if logits.shape[:2] == encoded.shape[:2] else ("features",)
            masks = dict.fromkeys(names, mask_of(lengths, encoded.shape[1]))
        return Outputs(features=encoded, logits={"logits": logits}, masks=masks)
