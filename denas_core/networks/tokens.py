"""How long the texts are that a space of token models is measured and scored on."""

from __future__ import annotations

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
