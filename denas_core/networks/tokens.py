"""How long the texts are that a space of token models is measured and scored on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass
from denas_core.values.batch import Batch, BatchKind

_TOKENS = 128

_PROBE_TOKENS = 16
"""They rank networks as 32 texts of 128 tokens do, see docs/benchmarks.md."""


def token_lengths(seq_len: int | None, probe_tokens: int | None, *, positions: int | None) -> tuple[int, int]:
    """Return the options `seq_len` and `probe_tokens` with defaults for what is not given.

    Args:
        seq_len: Tokens of a text for FLOPs, memory and latency; by default 128, or all positions.
        probe_tokens: Tokens of a text that diversity and saliency see; by default 16, or `seq_len`.
        positions: Tokens of the longest text that the networks take; None if any.

    Raises:
        ValueError: more tokens than positions.
    """
    if seq_len is None:
        seq_len = _TOKENS if positions is None else min(_TOKENS, positions)
    if probe_tokens is None:
        probe_tokens = min(_PROBE_TOKENS, seq_len)
    for name, tokens in (("seq_len", seq_len), ("probe_tokens", probe_tokens)):
        if positions is not None and tokens > positions:
            raise ValueError(
                f"{name} {tokens} is more than the {positions} positions of the network; give less"
            )
    return seq_len, probe_tokens


_CONSTANT_TOKEN = 9333


def token_batch(
    size: int, *, tokens: int, vocabulary: int, seed: int, kind: BatchKind, segments: bool = True
) -> Batch:
    """Return a batch of texts as token models take them: ``input_ids``, ``attention_mask`` and ``token_type_ids``.

    Every token counts. ``noise`` has random tokens from the middle three quarters of the vocabulary, since special
    tokens are at its ends; ``ones`` repeats one token of these in each sample: 9333 in the first, 9332 in the second,
    and so on, as the original DE-NAS does; ``cost`` has no mask.

    Args:
        size: Samples in the batch.
        tokens: Tokens of a sample.
        vocabulary: Number of tokens that the network knows.
        seed: Seed of the noise; drawn on the CPU, so that every device sees the same numbers.
        kind: See `BatchKind`.
        segments: Whether the network tells segments of a text apart; all tokens are in the first.
    """
    import torch

    shape = (size, tokens)
    lowest, highest = vocabulary // 8, vocabulary - vocabulary // 8
    if kind == "noise":
        ids = torch.randint(lowest, highest, shape, generator=torch.Generator().manual_seed(seed))
    elif kind == "ones":
        wanted = _CONSTANT_TOKEN - torch.arange(size)
        ids = (lowest + (wanted - lowest) % (highest - lowest)).unsqueeze(1).repeat(1, tokens)
    else:
        ids = torch.empty(shape, dtype=torch.long, device="meta")
    inputs, masks = {"input_ids": ids}, {}
    if kind != "cost":
        inputs["attention_mask"] = torch.ones_like(ids)
        masks["features"] = torch.ones_like(ids, dtype=torch.bool)
    if segments:
        inputs["token_type_ids"] = torch.zeros_like(ids)
    units = {"samples": float(size), "tokens": float(size * tokens)}
    return Batch(inputs=inputs, masks=masks, positions=tokens, units=units)
