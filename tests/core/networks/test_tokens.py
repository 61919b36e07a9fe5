"""Lengths of texts: their defaults, and what they keep to."""

from __future__ import annotations

import pytest

from denas_core.networks.tokens import token_lengths


@pytest.mark.parametrize(
    ("given", "positions", "expected"),
    [
        ((None, None), None, (128, 16)),
        ((None, None), 512, (128, 16)),
        ((None, None), 40, (40, 16)),
        ((None, None), 9, (9, 9)),
        ((8, None), 512, (8, 8)),
        ((8, 12), 512, (8, 12)),
        ((1000, 500), None, (1000, 500)),
    ],
)
def test_defaults_keep_to_the_positions_and_to_the_other_length(
    given: tuple[int | None, int | None], positions: int | None, expected: tuple[int, int]
) -> None:
    assert token_lengths(*given, positions=positions) == expected


@pytest.mark.parametrize(("given", "name"), [((65, None), "seq_len 65"), ((8, 65), "probe_tokens 65")])
def test_more_tokens_than_positions_are_refused(given: tuple[int, int | None], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is more than the 64 positions"):
        token_lengths(*given, positions=64)
