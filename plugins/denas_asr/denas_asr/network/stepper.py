"""Run the decoder one symbol at a time, without computing anything twice for earlier symbols or for frames."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .attention import CrossAttention, SelfAttention
from .decoder import Decoder, DecoderBlock
from .positions import add_positions

STEPS_AHEAD = 16
"""Number of steps to reserve memory for, until symbols that no text uses any more are removed."""


class DecoderStepper:
    """Runs a decoder on the texts of a beam, which has several rows for each utterance.

    Results equal those of the decoder in evaluation mode, up to rounding. Keys and values of the frames are computed
    once for each utterance, those of a symbol once. All rows of an utterance share one table of symbols, with a mask of
    the symbols that belong to each row: texts of a beam differ mainly in their last symbols, so the shared table is
    several times smaller than one table for each row, and nothing is copied when rows are reordered.
    """

    def __init__(self, decoder: Decoder, output: nn.Module, encoded: Tensor, mask: Tensor) -> None:
        """Make a stepper that has read no symbol yet, with one row for each utterance.

        Args:
            decoder: The decoder.
            output: Layer from the decoder's width to the symbols.
            encoded: (utterances, frames, width).
            mask: (utterances, frames), True for valid frames.
        """
        self._decoder = decoder
        self._output = output
        # The two new dimensions are heads and rows.
        self._mask = mask[:, None, None]
        self._blocks = [_BlockSteps(cast("DecoderBlock", block), encoded) for block in decoder.blocks]
        # True where a symbol of the table belongs to a row's text, (utterances, rows, symbols).
        self._texts = mask.new_zeros(len(encoded), 1, 0)
        self._room = 0
        self._read = 0

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read one more symbol in every row, and return the next logits, (utterances, rows, vocabulary).

        Args:
            symbols: (utterances, rows).
            parents: The row of the previous step that each row continues, (utterances, rows).
        """
        utterances, rows = symbols.shape
        if self._texts.shape[2] + rows > self._room:
            self._make_room(STEPS_AHEAD * rows)
        index = parents[..., None].expand(-1, -1, self._texts.shape[2])
        newest = torch.eye(rows, dtype=torch.bool, device=symbols.device).expand(utterances, -1, -1)
        self._texts = torch.cat([self._texts.gather(1, index), newest], -1)
        width = self._decoder.embedding.embedding_dim
        x = self._decoder.embedding(symbols) * math.sqrt(width)
        self._read += 1
        x = x + add_positions(x.new_zeros(1, self._read, width))[:, -1]
        for block in self._blocks:
            x = block.step(x, self._texts[:, None], self._mask)
        return cast("Tensor", self._output(self._decoder.norm(x)))

    def keep(self, utterances: Tensor) -> None:
        """Keep only these utterances, given by their indices."""
        self._mask, self._texts = self._mask[utterances], self._texts[utterances]
        for block in self._blocks:
            block.keep(utterances)

    def _make_room(self, symbols: int) -> None:
        """Remove symbols that are in no row's text, and reserve memory for more."""
        used = self._texts.any(1)
        most = int(used.sum(1).max()) if self._read else 0
        places = used.int().argsort(1, descending=True)[:, :most]
        self._texts = self._texts.gather(2, places[:, None].expand(-1, self._texts.shape[1], -1))
        self._room = most + symbols
        for block in self._blocks:
            block.choose(places, self._room)


class _BlockSteps:
    """One decoder block with the keys and values of the frames and of the symbols so far."""

    def __init__(self, block: DecoderBlock, encoded: Tensor) -> None:
        self._block = block
        # Keys and values, (2, utterances, heads, frames or symbols, head width).
        self._frames = _by_head(block.cross_attention.kv(encoded), 2, block.cross_attention.heads)
        self._symbols = _by_head(block.attention.qkv(encoded[:, :0]), 3, block.attention.heads)[1:]

    def step(self, x: Tensor, texts: Tensor, mask: Tensor) -> Tensor:
        """Return (utterances, rows, width) for the newest symbols; masks are (utterances, 1, rows or 1, ...)."""
        block = self._block
        x = self._add_residual(x, self._attend_to_symbols(block.attention, block.attention_norm(x), texts))
        x = self._add_residual(
            x, self._attend_to_frames(block.cross_attention, block.cross_attention_norm(x), mask)
        )
        return self._add_residual(x, block.feed_forward(block.feed_forward_norm(x)))

    def keep(self, utterances: Tensor) -> None:
        """Keep only these utterances."""
        self._frames, self._symbols = self._frames[:, utterances], self._symbols[:, utterances]

    def choose(self, places: Tensor, room: int) -> None:
        """Keep only the symbols at `places`, (utterances, symbols), and reserve memory for `room` symbols in total."""
        index = places[None, :, None, :, None].expand(*self._symbols.shape[:3], -1, self._symbols.shape[-1])
        kept = self._symbols.gather(3, index)
        self._symbols = F.pad(kept, (0, 0, 0, room - places.shape[1]))

    def _attend_to_symbols(self, attention: SelfAttention, x: Tensor, texts: Tensor) -> Tensor:
        parts = _by_head(attention.qkv(x), 3, attention.heads)
        count = texts.shape[-1]
        self._symbols[:, :, :, count - x.shape[1] : count] = parts[1:]
        key, value = self._symbols[:, :, :, :count]
        y = F.scaled_dot_product_attention(parts[0], key, value, attn_mask=texts)
        return cast("Tensor", attention.out(y.transpose(1, 2).flatten(2)))

    def _attend_to_frames(self, attention: CrossAttention, x: Tensor, mask: Tensor) -> Tensor:
        (query,) = _by_head(attention.q(x), 1, attention.heads)
        key, value = self._frames
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return cast("Tensor", attention.out(y.transpose(1, 2).flatten(2)))

    def _add_residual(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y if self._block.residual else y


def _by_head(x: Tensor, parts: int, heads: int) -> Tensor:
    """Reshape (utterances, positions, parts x width) to (parts, utterances, heads, positions, head width)."""
    width = x.shape[2] // (parts * heads)
    return x.view(*x.shape[:2], parts, heads, width).permute(2, 0, 3, 1, 4)
