"""Putting a network together around its encoder."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from denas_core import PositionHead

from .decoder import Decoder
from .encoder import Encoder
from .front_end import FrontEnd, bands_of
from .recogniser import HeadedEncoder, Recogniser, SpeechEncoder


def build_network(
    width: int,
    blocks: Sequence[nn.Module],
    norm: nn.Module,
    *,
    mels: int,
    channels: int,
    vocabulary: int,
    decoder_layers: int,
    decoder_heads: int,
    decoder_hidden: int,
    dropout: float,
    head: nn.Module | None,
    residual: bool,
) -> SpeechEncoder:
    """Return the structure of a network around the blocks of its encoder.

    Args:
        width: Features of a frame.
        blocks: The blocks of the encoder.
        norm: The norm after them.
        mels: Mel bands of a frame of the input.
        channels: Channels of the front-end.
        vocabulary: Symbols of a recogniser whose head does not say how many there are.
        decoder_layers: Layers of the decoder.
        decoder_heads: Attention heads of a layer of the decoder.
        decoder_hidden: Hidden features of its feed-forward parts.
        dropout: Share of features that dropout sets to zero.
        head: None or a `PositionHead`: a recogniser, of as many symbols as that has outputs; any other module: an
            encoder with it.
        residual: Whether front-end and decoder have residual connections.
    """
    front_end = FrontEnd(mels, channels, dropout=dropout, residual=residual)
    inputs = bands_of(mels)[1] * channels
    encoder = Encoder(inputs, width, blocks, norm, dropout=dropout)
    if head is not None and not isinstance(head, PositionHead):
        return HeadedEncoder(front_end, encoder, head)
    symbols = vocabulary if head is None else head.out_features
    decoder = Decoder(
        symbols,
        width,
        layers=decoder_layers,
        heads=decoder_heads,
        hidden=decoder_hidden,
        dropout=dropout,
        residual=residual,
    )
    return Recogniser(front_end, encoder, decoder, nn.Linear(width, symbols), nn.Linear(width, symbols))
