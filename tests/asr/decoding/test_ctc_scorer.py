"""CTC's prefix probabilities, against all alignments of a few frames."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from denas_asr.decoding.ctc_scorer import CtcScorer
from denas_asr.decoding.symbols import BLANK, BOS, EOS
from tests.asr.enumerated import FIRST, Text, prefix_probability, random_log_probs, text_probabilities

pytestmark = pytest.mark.numerics


def logarithm(p: float) -> float:
    return math.log(p) if p > 0 else -math.inf


def normalised(texts: dict[Text, float]) -> dict[Text, float]:
    """Return probabilities among all texts: without alignments that have the beginning or the end of a text in them."""
    total = sum(texts.values())
    return {text: p / total for text, p in texts.items()}


def without_special(log_probs: Tensor) -> Tensor:
    """Return log-probabilities under which neither the beginning nor the end of a text is ever said."""
    log_probs[:, [BOS, EOS]] = -1e3
    return log_probs.log_softmax(-1)


def scored(scorer: CtcScorer, texts: list[Text]) -> Tensor:
    """Return log psi of each next symbol behind texts of one length, (texts, symbols), as sums of what was added."""
    length = len(texts[0])
    steps = torch.tensor([[BOS, *text] for text in texts])
    sums = torch.zeros(len(texts), dtype=torch.float64)
    gains = scorer.step(steps[None, :1, 0], torch.zeros(1, 1, dtype=torch.int64))[0].expand(len(texts), -1)
    parents = torch.zeros(1, len(texts), dtype=torch.int64)
    for step in range(1, length + 1):
        sums = sums + gains.gather(1, steps[:, step : step + 1]).squeeze(1)
        gains = scorer.step(steps[None, :, step], parents)[0]
        parents = torch.arange(len(texts))[None]
    return sums[:, None] + gains


@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 100_000), st.data())
@settings(max_examples=30, deadline=None)
def test_each_extension_has_the_probability_of_all_texts_that_begin_with_it(
    frames: int, symbols: int, seed: int, data: st.DataObject
) -> None:
    log_probs = random_log_probs(frames, symbols, seed=seed)
    texts = normalised(text_probabilities(log_probs))
    length = data.draw(st.integers(0, frames))
    possible = sorted(text for text in texts if len(text) == length)
    if not possible:
        return
    found = scored(CtcScorer(log_probs[None], torch.tensor([frames])), possible)
    for text, row in zip(possible, found.tolist(), strict=True):
        assert row[EOS] == pytest.approx(logarithm(texts[text]), abs=1e-9)
        assert row[BLANK] == row[BOS] == -math.inf
        for symbol in range(FIRST, FIRST + symbols):
            expected = logarithm(prefix_probability(texts, (*text, symbol)))
            assert row[symbol] == pytest.approx(expected, abs=1e-9)


def test_a_text_and_all_its_extensions_make_up_its_prefix_probability() -> None:
    log_probs = random_log_probs(30, 5, seed=1, sharpness=5.0)
    first, second = (scored(CtcScorer(log_probs[None], torch.tensor([30])), [text])[0] for text in ((), (4,)))
    assert first.logsumexp(-1).item() == pytest.approx(0.0, abs=1e-9)
    assert second.logsumexp(-1).item() == pytest.approx(first[4].item(), abs=1e-9)


@pytest.mark.parametrize("sharpness", [1.0, 8.0, 40.0])
def test_texts_of_long_utterances_have_the_probability_of_the_ctc_loss(sharpness: float) -> None:
    log_probs = without_special(random_log_probs(400, 8, seed=2, sharpness=sharpness))
    text = (3, 3, 4, 5, 10, 6, 6, 7, 3, 9, 8, 8)
    found = scored(CtcScorer(log_probs[None], torch.tensor([400])), [text])[0, EOS].item()
    loss = F.ctc_loss(
        log_probs[:, None],
        torch.tensor([text]),
        torch.tensor([400]),
        torch.tensor([len(text)]),
        reduction="sum",
    )
    assert found == pytest.approx(-loss.item(), rel=1e-9)


def test_a_text_that_the_frames_cannot_hold_is_impossible() -> None:
    log_probs = without_special(random_log_probs(3, 2, seed=0))
    scorer = CtcScorer(log_probs[None], torch.tensor([3]))
    # Two equal symbols need a blank between: three frames hold them, and nothing behind.
    found = scored(scorer, [(3, 3)])[0].tolist()
    assert found[EOS] == pytest.approx(
        log_probs[0, 3].item() + log_probs[1, BLANK].item() + log_probs[2, 3].item()
    )
    assert found[FIRST:] == [-math.inf, -math.inf]


def test_padding_changes_nothing_and_utterances_can_be_dropped() -> None:
    lengths = torch.tensor([5, 2, 4])
    padded = torch.full((3, 6, 6), math.nan, dtype=torch.float64)
    for row, length in enumerate(lengths.tolist()):
        padded[row, :length] = random_log_probs(length, 3, seed=row)
    batch = CtcScorer(padded, lengths)
    alone = [
        CtcScorer(padded[row : row + 1, :length], lengths[row : row + 1])
        for row, length in enumerate(lengths)
    ]
    first = torch.full((3, 1), BOS), torch.zeros(3, 1, dtype=torch.int64)
    second = torch.tensor([[3, 4], [4, 3], [5, 3]]), torch.zeros(3, 2, dtype=torch.int64)
    third = torch.tensor([[3, 4, 5], [4, 3, 3], [5, 3, 5]]), torch.tensor([[1, 1, 0], [0, 0, 1], [1, 0, 1]])
    for symbols, parents in (first, second):
        for row, gains in enumerate(batch.step(symbols, parents)):
            same = alone[row].step(symbols[row : row + 1], parents[row : row + 1])[0]
            torch.testing.assert_close(gains, same, equal_nan=True)
    kept = torch.tensor([0, 2])
    batch.keep(kept)
    for gains, row in zip(batch.step(third[0][kept], third[1][kept]), kept.tolist(), strict=True):
        same = alone[row].step(third[0][row : row + 1], third[1][row : row + 1])[0]
        torch.testing.assert_close(gains, same, equal_nan=True)
