"""Batches of texts that measure and score token models, and the length of these texts."""

from __future__ import annotations

from denas_core.values.batch import Batch, BatchKind, OpenDimension

_TOKENS = 128

_PROBE_TOKENS = 16
"""Texts of this length rank networks as 32 texts of 128 tokens do, see docs/benchmarks.md."""


def token_lengths(seq_len: int | None, probe_tokens: int | None, *, positions: int | None) -> tuple[int, int]:
    """Return the options `seq_len` and `probe_tokens`, with defaults for those that are None.

    Args:
        seq_len: Tokens of a text for FLOPs, memory and latency; by default 128, or all positions if there are fewer.
        probe_tokens: Tokens of a text for diversity and saliency; by default 16, or `seq_len` if that is less.
        positions: Tokens of the longest text that the networks take; None if texts may have any length.

    Raises:
        ValueError: a text has more tokens than there are positions.
    """
    if seq_len is None:
        seq_len = _TOKENS if positions is None else min(_TOKENS, positions)
    if probe_tokens is None:
        probe_tokens = min(_PROBE_TOKENS, seq_len)
    for name, tokens in (("seq_len", seq_len), ("probe_tokens", probe_tokens)):
        if positions is not None and tokens > positions:
            raise ValueError(
                f"{name} {tokens} is more than the {positions} positions of the network; choose a smaller number"
            )
    return seq_len, probe_tokens


_CONSTANT_TOKEN = 9333


def token_batch(
    size: int,
    *,
    tokens: int,
    vocabulary: int,
    seed: int,
    kind: BatchKind,
    segments: bool = True,
    positions: int | None = None,
) -> Batch:
    """Return a batch of texts for token models: ``input_ids``, ``attention_mask`` and ``token_type_ids``.

    No token is masked. A batch of kind ``noise`` has random tokens from the middle three quarters of the vocabulary,
    because special tokens are at its ends. In a batch of kind ``ones``, each sample repeats one token from this range:
    9333 in the first sample, 9332 in the second, and so on, as in the original DE-NAS. A batch of kind ``cost`` has no
    mask.

    Args:
        size: Samples in the batch.
        tokens: Tokens of a sample.
        vocabulary: Number of tokens that the network knows.
        seed: Seed of the noise. The noise is drawn on the CPU, so that it is the same on every device.
        kind: See `BatchKind`.
        segments: Whether the network takes the segment of each token; all tokens are in the first segment.
        positions: Tokens of the longest text that the network takes. Exports then take texts of 2 tokens or more; if it
            is None, they take only texts of `tokens` tokens.
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
    # torch.export traces two tokens or more.
    places = {} if positions is None else {1: OpenDimension("tokens", at_least=2, at_most=positions)}
    return Batch(
        inputs=inputs,
        masks=masks,
        positions=tokens,
        units=units,
        open=dict.fromkeys(inputs, places) if places else {},
    )
