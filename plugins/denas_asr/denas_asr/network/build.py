"""Putting a network together around its encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from denas_core.heads import PositionHead

from .decoder import Decoder
from .front_end import FrontEnd, bands_of
from .recogniser import HeadedEncoder, Recogniser, SpeechEncoder

if TYPE_CHECKING:
    from .space import SpeechSpace


def build_network(
    space: SpeechSpace, encoder: nn.Module, width: int, *, head: nn.Module | None, residual: bool
) -> SpeechEncoder:
    """Return the structure of a network of `space`.

    Args:
        space: Whose options say the rest.
        encoder: Takes and returns (samples, frames, `width`).
        width: Features of a frame.
        head: None or a `PositionHead`: a recogniser, of as many symbols as that has outputs; any other module: an
            encoder with it.
        residual: Whether there are residual connections.
    """
    front_end = FrontEnd(space.mels, space.channels, dropout=space.dropout, residual=residual)
    projection = nn.Linear(bands_of(space.mels)[1] * space.channels, width)
    if head is not None and not isinstance(head, PositionHead):
        return HeadedEncoder(front_end, projection, encoder, head, dropout=space.dropout)
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
    ctc, output = nn.Linear(width, symbols), nn.Linear(width, symbols)
    return Recogniser(front_end, projection, encoder, ctc, decoder, output, dropout=space.dropout)
