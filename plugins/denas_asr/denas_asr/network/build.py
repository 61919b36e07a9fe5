"""Putting a network together around its encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from denas_core.networks.heads import PositionHead

from .decoder import Decoder
from .encoder import Encoder
from .front_end import FrontEnd, bands_of
from .recogniser import HeadedEncoder, Recogniser, SpeechEncoder

if TYPE_CHECKING:
    from .space import SpeechSpace


def build_network(
    space: SpeechSpace,
    width: int,
    blocks: Sequence[nn.Module],
    norm: nn.Module,
    *,
    head: nn.Module | None,
    residual: bool,
) -> SpeechEncoder:
    """Return the structure of a network of `space`.

    Args:
        space: Whose options say the rest.
        width: Features of a frame.
        blocks: Of the encoder.
        norm: Behind these.
        head: None or a `PositionHead`: a recogniser, of as many symbols as that has outputs; any other module: an
            encoder with it.
        residual: Whether front-end and decoder have residual connections.
    """
    front_end = FrontEnd(space.mels, space.channels, dropout=space.dropout, residual=residual)
    inputs = bands_of(space.mels)[1] * space.channels
    encoder = Encoder(inputs, width, blocks, norm, dropout=space.dropout)
    if head is not None and not isinstance(head, PositionHead):
        return HeadedEncoder(front_end, encoder, head)
    symbols = space.vocabulary if head is None else head.out_features
    decoder = Decoder(
        symbols,
        width,
        layers=space.decoder_layers,
        heads=space.decoder_heads,
        hidden=space.decoder_hidden,
        dropout=space.dropout,
        residual=residual,
    )
    return Recogniser(front_end, encoder, decoder, nn.Linear(width, symbols), nn.Linear(width, symbols))
