"""Continue a text: the likeliest token, one after the other."""

from __future__ import annotations

import dataclasses
import random
from array import array
from typing import TYPE_CHECKING

from denas_core import Batch, SearchSpace, Split
from denas_nlp.text.batches import TextSample
from denas_nlp.text.form import MASK, TOKENS
from denas_nlp.text.tokenizer import TextTokenizer

from .scores import scores_of

if TYPE_CHECKING:
    from torch import Tensor, nn

NONE = -1
"""Fills the rows of texts that have ended."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prompt(Split[TextSample]):
    """A text to continue, as one sample.

    Attributes:
        text: Its sample.
        tokenizer: The tokenizer, for the answer.
    """

    text: TextSample
    tokenizer: TextTokenizer

    def __len__(self) -> int:
        """Return 1."""
        return 1

    def sample(self, index: int, rng: random.Random | None = None) -> TextSample:
        """Return the text."""
        return self.text

    def length(self, index: int) -> float:
        """Return the number of tokens."""
        return float(len(self.text.ids))


def prompt_tokens(text: str, tokenizer: TextTokenizer, *, room: int) -> array[int]:
    """Return the last tokens of a text to continue, behind the special tokens before a text; at least one token."""
    before = tokenizer.single.special[0]
    ids = tokenizer.tokens(text).ids[-max(room - len(before), 1) :]
    if before or ids:
        return before + ids
    # The token between two texts stands before a text without a beginning.
    return array("i", [tokenizer.pad if tokenizer.end is None else tokenizer.end])


def likeliest_next(scores: Tensor, lengths: Tensor) -> Tensor:
    """Return the likeliest token behind each text (samples,).

    Args:
        scores: Scores of tokens (samples, positions, tokens).
        lengths: Number of tokens of each text.
    """
    import torch

    return scores[torch.arange(len(scores), device=scores.device), lengths - 1].argmax(-1)


def continued(
    space: SearchSpace, network: nn.Module, batch: Batch, first: Tensor, *, count: int, end: int | None
) -> Tensor:
    """Return the likeliest tokens behind each text (samples, count); `NONE` behind the end of a text.

    Args:
        space: The space of the network.
        network: The network in eval mode.
        batch: The texts, padded on the right.
        first: The first token behind each text.
        count: Greatest number of tokens.
        end: The token at the end of a text; None if there is none.
    """
    import torch

    lengths = batch.masks["features"].sum(1)
    found, ended = [first], first == (NONE if end is None else end)
    rows = torch.arange(len(lengths), device=lengths.device)
    while len(found) < count and not bool(ended.all()):
        batch = _longer(batch, lengths, found[-1])
        lengths = lengths + 1
        scores = scores_of(space.forward(network, batch))
        found.append(scores[rows, lengths - 1].argmax(-1))
        ended = ended | (found[-1] == (NONE if end is None else end))
    tokens = torch.stack(found, 1)
    if end is None:
        return tokens
    return tokens.masked_fill((tokens == end).cumsum(1) > 0, NONE)


def _longer(batch: Batch, lengths: Tensor, tokens: Tensor) -> Batch:
    """Return a batch with one more token behind each text; padding on the right is not seen by what stands before."""
    import torch
    from torch.nn import functional as F

    rows = torch.arange(len(lengths), device=lengths.device)
    inputs = {name: F.pad(tensor, (0, 1)) for name, tensor in batch.inputs.items()}
    inputs[TOKENS][rows, lengths] = tokens
    mask = torch.arange(inputs[TOKENS].shape[1], device=lengths.device) <= lengths[:, None]
    if MASK in inputs:
        inputs[MASK] = mask.long()
    return dataclasses.replace(batch, inputs=inputs, masks={"features": mask, "logits": mask})
