"""The decoder one symbol at a time: nothing is computed twice, of the symbols before or of the frames."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .attention import CrossAttention, SelfAttention
from .decoder import Decoder, DecoderBlock
from .positions import with_positions


class DecoderStepper:
    """Follows the texts of a beam, several rows an utterance; as the decoder in evaluation mode, to rounding.

    Keys and values of the frames are computed once an utterance, and shared by its rows; those of a symbol once.
    """

    def __init__(self, decoder: Decoder, output: nn.Module, encoded: Tensor, mask: Tensor) -> None:
        """Make a stepper that has read nothing, with one row an utterance.

        Args:
            decoder: The decoder.
            output: From its width to the symbols.
            encoded: (utterances, frames, width).
            mask: (utterances, frames), True where a frame counts.
        """
        self._decoder = decoder
        self._output = output
        # For all heads and rows.
        self._mask = mask[:, None, None]
        self._blocks = [_BlockSteps(cast("DecoderBlock", block), encoded) for block in decoder.blocks]
        self._read = 0

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read a symbol more in every row, and return the logits of the next, (utterances, rows, vocabulary).

        Args:
            symbols: (utterances, rows).
            parents: Row of the step before that each one continues, (utterances, rows).
        """
        width = self._decoder.embedding.embedding_dim
        x = self._decoder.embedding(symbols) * math.sqrt(width)
        self._read += 1
        x = x + with_positions(x.new_zeros(1, self._read, width))[:, -1]
        for block in self._blocks:
            x = block.step(x, parents, self._mask)
        return cast("Tensor", self._output(self._decoder.norm(x)))

    def keep(self, utterances: Tensor) -> None:
        """Forget all utterances but these, given by their places."""
        self._mask = self._mask[utterances]
        for block in self._blocks:
            block.keep(utterances)


class _BlockSteps:
    """One block, with keys and values of the frames and of the symbols so far."""

    def __init__(self, block: DecoderBlock, encoded: Tensor) -> None:
        self._block = block
        attention = block.cross_attention
        # (2, utterances, heads, frames, head width).
        self._frames = attention.kv(encoded).unflatten(-1, (2, attention.heads, -1)).permute(2, 0, 3, 1, 4)
        # (2, utterances, rows, heads, symbols, head width).
        self._symbols = encoded.new_zeros(
            2, len(encoded), 1, block.attention.heads, 0, encoded.shape[2] // block.attention.heads
        )

    def step(self, x: Tensor, parents: Tensor, mask: Tensor) -> Tensor:
        """Return (utterances, rows, width) of the newest symbols."""
        block = self._block
        x = self._joined(x, self._attended(block.attention, block.attention_norm(x), parents))
        x = self._joined(x, self._heard(block.cross_attention, block.cross_attention_norm(x), mask))
        return self._joined(x, block.feed_forward(block.feed_forward_norm(x)))

    def keep(self, utterances: Tensor) -> None:
        self._frames, self._symbols = self._frames[:, utterances], self._symbols[:, utterances]

    def _attended(self, attention: SelfAttention, x: Tensor, parents: Tensor) -> Tensor:
        query, *newest = attention.qkv(x).unflatten(-1, (3, attention.heads, 1, -1)).unbind(2)
        utterances = torch.arange(len(x), device=x.device)[:, None]
        self._symbols = torch.cat([self._symbols[:, utterances, parents], torch.stack(newest)], -2)
        key, value = self._symbols.flatten(1, 2)
        y = F.scaled_dot_product_attention(query.flatten(0, 1), key, value)
        return cast("Tensor", attention.out(y.reshape(x.shape)))

    def _heard(self, attention: CrossAttention, x: Tensor, mask: Tensor) -> Tensor:
        query = attention.q(x).unflatten(-1, (attention.heads, -1)).transpose(1, 2)
        key, value = self._frames
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return cast("Tensor", attention.out(y.transpose(1, 2).flatten(2)))

    def _joined(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y if self._block.residual else y
