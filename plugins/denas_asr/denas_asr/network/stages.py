"""The two stages of a recogniser: the encoder runs once for an utterance, the decoder once for each symbol."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from denas_core import OpenDimension, Stage

from .decoder import Decoder
from .encoder import Encoder
from .front_end import FrontEnd

ENCODED_FRAMES = OpenDimension("encoded_frames")


class Encoding(nn.Module):
    """Front-end, encoder and CTC head, for utterances without padding."""

    def __init__(self, front_end: FrontEnd, encoder: Encoder, ctc_head: nn.Linear) -> None:
        super().__init__()
        self.front_end = front_end
        self.encoder = encoder
        self.ctc_head = ctc_head

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the encoded frames (samples, frames / 4, width), and the CTC logits of each frame."""
        frames, _ = self.front_end(features, None)
        encoded = self.encoder(frames, None)
        return encoded, self.ctc_head(encoded)


class Decoding(nn.Module):
    """The decoder and its head."""

    def __init__(self, decoder: Decoder, attention_head: nn.Linear) -> None:
        super().__init__()
        self.decoder = decoder
        self.attention_head = attention_head

    def forward(self, tokens: Tensor, encoded: Tensor) -> Tensor:
        """Return the logits of the symbol after each of `tokens`, (samples, symbols, vocabulary)."""
        return cast("Tensor", self.attention_head(self.decoder(tokens, encoded, None)))


def encoder_and_decoder(encoding: Encoding, decoding: Decoding) -> tuple[Stage, Stage]:
    """Return encoder and decoder as stages; a space's batch holds their inputs ``features`` and ``tokens``."""
    return (
        Stage(
            name="encoder",
            module=encoding,
            inputs=("features",),
            outputs=("encoded", "ctc"),
            open={"encoded": {1: ENCODED_FRAMES}},
        ),
        Stage(name="decoder", module=decoding, inputs=("tokens", "encoded"), outputs=("attention",)),
    )
