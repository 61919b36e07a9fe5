"""CTC prefix beam search, against all alignments of a few frames."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from denas_asr.decoding.prefix_beam import prefix_beam
from denas_asr.decoding.word_model import WordFusion
from denas_core.errors import NoResult
from tests.asr.enumerated import FIRST, Text, random_log_probs, text_probabilities
from tests.asr.word_bigrams import PIECES, WordBigrams, fused

pytestmark = pytest.mark.numerics

WIDE = 2_000

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 100_000))


@given(SHAPES)
@settings(max_examples=25, deadline=None)
def test_a_wide_beam_finds_every_text_with_the_sum_of_its_alignments(shape: tuple[int, int, int]) -> None:
    frames, symbols, seed = shape
    log_probs = random_log_probs(frames, symbols, seed=seed)
    found = prefix_beam(log_probs, WIDE)
    expected = text_probabilities(log_probs)
    assert {h.symbols for h in found} == set(expected)
    for hypothesis in found:
        assert hypothesis.score == pytest.approx(math.log(expected[hypothesis.symbols]), abs=1e-12)
    scores = [hypothesis.score for hypothesis in found]
    assert scores == sorted(scores, reverse=True)


def test_scores_of_long_clear_utterances_are_those_of_the_ctc_loss() -> None:
    text = (3, 3, 4, 10, 3, 9, 9, 5)
    spoken = torch.tensor([symbol for letter in text for symbol in (0, 0, letter, letter, 0)])
    logits = torch.randn(len(spoken), 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    logits[range(len(spoken)), spoken] += 9.0
    log_probs = logits.log_softmax(-1)
    best = prefix_beam(log_probs, 100)[0]
    assert best.symbols == text
    assert best.score == pytest.approx(-ctc_loss(log_probs, text), abs=1e-4)
    assert best.score <= -ctc_loss(log_probs, text)


@given(SHAPES, st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_a_narrow_beam_never_claims_more_than_the_probability_of_a_text(
    shape: tuple[int, int, int], beam: int
) -> None:
    frames, symbols, seed = shape
    log_probs = random_log_probs(frames, symbols, seed=seed)
    expected = text_probabilities(log_probs)
    found = prefix_beam(log_probs, beam)
    assert 1 <= len(found) <= beam
    for hypothesis in found:
        assert hypothesis.score <= math.log(expected[hypothesis.symbols]) + 1e-12


def test_wider_beams_find_texts_that_are_as_likely_or_likelier() -> None:
    means = []
    for beam in (1, 2, 4, 8, 64):
        best = [prefix_beam(random_log_probs(12, 5, seed=s), beam)[0].symbols for s in range(30)]
        losses = [ctc_loss(random_log_probs(12, 5, seed=s), text) for s, text in enumerate(best)]
        means.append(sum(losses) / len(losses))
    assert means == sorted(means, reverse=True)
    assert means[0] - means[-1] > 0.1


def test_the_likeliest_text_need_not_be_that_of_the_likeliest_alignment() -> None:
    # Two frames, 0.6 blank and 0.4 symbol: the blank alignment has .36, but the symbol has .16 + 2 x .24 = .64.
    log_probs = torch.tensor([[0.6, 0.0, 0.0, 0.4]] * 2, dtype=torch.float64).clamp(min=1e-300).log()
    (best, second) = prefix_beam(log_probs, 2)
    assert best.symbols == (3,)
    assert best.score == pytest.approx(math.log(0.64))
    assert second.symbols == ()
    assert second.score == pytest.approx(math.log(0.36))


@pytest.mark.parametrize("beam", [1, 2, 5, 16])
def test_symbols_that_cannot_win_are_left_out_without_a_change(
    beam: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from denas_asr.decoding import prefix_beam as module

    lm = WordFusion(WordBigrams(), PIECES, weight=0.7, bonus=0.5)
    many = [random_log_probs(15, 40, seed=seed) for seed in range(5)]
    spelled = [random_log_probs(15, len(PIECES) - FIRST, seed=seed) for seed in range(5)]
    few = [prefix_beam(x, beam) for x in many] + [prefix_beam(x, beam, lm) for x in spelled]
    candidates = module._candidates
    monkeypatch.setattr(module, "_candidates", lambda values, beam, lm: candidates(values, WIDE, lm))
    full = [prefix_beam(x, beam) for x in many] + [prefix_beam(x, beam, lm) for x in spelled]
    assert few == full


@given(st.integers(0, 100_000), st.integers(1, 5), st.floats(0, 2), st.floats(-1, 2))
@settings(max_examples=20, deadline=None)
def test_with_a_language_model_it_is_the_best_of_the_sum(
    seed: int, frames: int, weight: float, bonus: float
) -> None:
    log_probs = random_log_probs(frames, len(PIECES) - FIRST, seed=seed)
    lm = WordFusion(WordBigrams(), PIECES, weight=weight, bonus=bonus)
    found = {hypothesis.symbols: hypothesis.score for hypothesis in prefix_beam(log_probs, WIDE, lm)}
    expected = {
        text: math.log(p) + fused(text, weight=weight, bonus=bonus)
        for text, p in text_probabilities(log_probs).items()
    }
    assert found == pytest.approx(expected, abs=1e-9)
    assert next(iter(found.values())) == pytest.approx(max(expected.values()))


def test_a_language_model_steers_a_narrow_beam_while_it_goes() -> None:
    # By sound alone "a" and "b" are alike; the model knows the word "ab" and nothing that begins with "b".
    frame = torch.tensor([0.04, 1e-9, 1e-9, 0.02, 0.45, 0.49], dtype=torch.float64)
    blank = torch.tensor([0.95, 1e-9, 1e-9, 0.01, 0.02, 0.02], dtype=torch.float64)
    space = torch.tensor([0.04, 1e-9, 1e-9, 0.94, 0.01, 0.01], dtype=torch.float64)
    log_probs = torch.stack([frame, blank, frame, space, blank]).log()
    lm = WordFusion(WordBigrams(), PIECES, weight=1.0, bonus=0.0)
    assert prefix_beam(log_probs, 8)[0].symbols == (5, 5, 3)
    assert prefix_beam(log_probs, 8, lm)[0].symbols == (4, 5, 3)


def test_an_utterance_without_frames_is_the_empty_text() -> None:
    (only,) = prefix_beam(torch.zeros(0, 6), 4)
    assert (only.symbols, only.score) == ((), 0.0)


@pytest.mark.parametrize("cast", [Tensor.float, Tensor.bfloat16, Tensor.half])
def test_narrow_numbers_are_searched_as_the_wide_ones_that_they_stand_for(
    cast: Callable[[Tensor], Tensor],
) -> None:
    log_probs = cast(random_log_probs(10, 6, seed=5))
    assert prefix_beam(log_probs, 8) == prefix_beam(log_probs.double(), 8)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_outputs_that_are_no_numbers_are_refused(wrong: float) -> None:
    log_probs = random_log_probs(3, 2, seed=0)
    log_probs[1, 4] = wrong
    with pytest.raises(NoResult, match="training has diverged"):
        prefix_beam(log_probs, 4)


def ctc_loss(log_probs: Tensor, text: Text) -> float:
    """Return the negative log-probability of a text by PyTorch's own recursion."""
    target = torch.tensor([text], dtype=torch.int64)
    frames, length = torch.tensor([len(log_probs)]), torch.tensor([len(text)])
    return F.ctc_loss(log_probs[:, None], target, frames, length, reduction="sum").item()
