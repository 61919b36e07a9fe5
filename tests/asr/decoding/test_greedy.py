"""The best path of CTC, against its definition."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from denas_asr.decoding.greedy import greedy
from denas_core.errors import NoResult
from tests.asr.enumerated import BLANK, FIRST, random_log_probs, text_of


@pytest.mark.parametrize(
    ("best", "text"),
    [
        ([3, 3, 0, 3, 4], [3, 3, 4]),
        ([0, 0, 0], []),
        ([5, 5, 5], [5]),
        ([0, 4, 0, 4, 4, 0], [4, 4]),
        ([3, 4, 3, 4], [3, 4, 3, 4]),
    ],
)
def test_repeats_become_one_then_blanks_go(best: list[int], text: list[int]) -> None:
    log_probs = F.one_hot(torch.tensor(best), 6).float().log_softmax(-1)
    assert greedy(log_probs[None]) == [text]


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_it_is_the_text_of_the_likeliest_alignment(seed: int, frames: int, symbols: int) -> None:
    log_probs = random_log_probs(frames, symbols, seed=seed)
    alignments = itertools.product([BLANK, *range(FIRST, symbols + FIRST)], repeat=frames)
    best = max(alignments, key=lambda a: sum(log_probs[i, s].item() for i, s in enumerate(a)))
    assert greedy(log_probs[None]) == [list(text_of(best))]


def test_the_beginning_and_the_end_of_a_text_are_never_written() -> None:
    logits = torch.tensor([[[0.0, 9.0, 0.0, 1.0], [0.0, 0.0, 9.0, -1.0]]])
    assert greedy(logits) == [[3]]


def test_padding_changes_nothing_whatever_it_holds() -> None:
    log_probs = torch.full((3, 6, 7), math.nan)
    lengths = torch.tensor([6, 3, 0])
    for row, length in enumerate(lengths.tolist()):
        log_probs[row, :length] = random_log_probs(length, 4, seed=row).float()
    texts = greedy(log_probs, lengths)
    alone = [greedy(log_probs[row : row + 1, :length])[0] for row, length in enumerate(lengths.tolist())]
    assert texts == alone
    assert texts[2] == []


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_outputs_that_are_no_numbers_are_refused(wrong: float) -> None:
    log_probs = random_log_probs(3, 2, seed=0)
    log_probs[1, 4] = wrong
    with pytest.raises(
        NoResult, match=r"1 of 15 outputs of the network are not finite, such as -?(nan|inf):.*lower"
    ):
        greedy(log_probs[None])


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="over 3 symbols"):
        greedy(torch.zeros(2, 4, 3))
    with pytest.raises(ValueError, match=r"\[4, 5\] are not the lengths of 2 utterances of 4 frames"):
        greedy(torch.zeros(2, 4, 5), torch.tensor([4, 5]))
