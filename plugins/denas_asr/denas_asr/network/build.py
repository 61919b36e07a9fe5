"""Build a network from the blocks of its encoder."""

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
    """Return a network with the given encoder blocks; its weights are not initialised.

    Args:
        width: Number of features of an encoded frame.
        blocks: The blocks of the encoder.
        norm: The norm after the last block.
        mels: Number of mel bands of an input frame.
        channels: Number of channels of the front-end.
        vocabulary: Number of symbols if `head` is None.
        decoder_layers: Number of decoder blocks.
        decoder_heads: Number of attention heads in a decoder block.
        decoder_hidden: Number of hidden features in a decoder block's feed-forward layer.
        dropout: Dropout rate.
        head: None gives a recogniser with `vocabulary` symbols; a `PositionHead` gives a recogniser with as many
            symbols as the head has outputs; any other module gives an encoder with this head.
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
