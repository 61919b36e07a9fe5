"""Joint decoding, against all texts of a few symbols."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from denas_asr.decoding.hypothesis import Hypothesis
from denas_asr.decoding.joint import joint_beam
from denas_asr.decoding.language_scorer import SymbolFusion
from denas_asr.decoding.symbols import BOS, EOS
from denas_asr.decoding.word_model import WordFusion
from denas_core.errors import NoResult
from tests.asr.enumerated import FIRST, Text, all_texts, text_probabilities
from tests.asr.tiny_recogniser import TinyRecogniser, random_speech
from tests.asr.word_bigrams import PIECES, WordBigrams, fused

SYMBOLS = 3
LONGEST = 4
WIDE = SYMBOLS**LONGEST

WEIGHTS = st.sampled_from([0.0, 0.3, 0.5, 1.0])


class SymbolBigrams:
    """A random language model of symbols that looks at the last one."""

    def __init__(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.table = torch.randn(SYMBOLS + FIRST, SYMBOLS + FIRST, generator=generator).log_softmax(-1)

    def __call__(self, texts: Tensor) -> Tensor:
        return self.table[texts[:, -1]]


def scores_of_all(network: TinyRecogniser, speech: Tensor, ctc_weight: float) -> dict[Text, float]:
    """Return the score of every text up to the longest, by enumeration; of one utterance, (frames, width)."""
    alignments = text_probabilities(network.ctc(speech).log_softmax(-1))
    total = sum(alignments.values())
    found = {}
    for text in all_texts(SYMBOLS, LONGEST):
        p = alignments.get(text, 0.0) / total
        read = torch.tensor([[BOS, *text]])
        log_probs = network.decode(read, speech[None]).log_softmax(-1)[0]
        attention = sum(log_probs[i, symbol].item() for i, symbol in enumerate([*text, EOS]))
        ctc = 0.0 if not ctc_weight else ctc_weight * math.log(p) if p else -math.inf
        found[text] = ctc + (1 - ctc_weight) * attention
    return found


def best_of(scores: dict[Text, float], *, length_power: float = 0.0) -> tuple[Text, float]:
    return max(scores.items(), key=lambda item: item[1] / (len(item[0]) + 1) ** length_power)


def agrees(found: list[Hypothesis], scores: dict[Text, float], *, length_power: float = 0.0) -> None:
    text, score = best_of(scores, length_power=length_power)
    assert found[0].symbols == text
    assert found[0].score == pytest.approx(score, abs=1e-9)
    for hypothesis in found:
        assert hypothesis.score == pytest.approx(scores[hypothesis.symbols], abs=1e-9)


@given(st.integers(0, 100_000), st.integers(1, 5), WEIGHTS, st.sampled_from([0.0, 0.6, 1.0]))
@settings(max_examples=30, deadline=None)
def test_a_wide_beam_finds_the_best_of_all_texts(
    seed: int, frames: int, weight: float, length_power: float
) -> None:
    network = TinyRecogniser(SYMBOLS, seed=seed)
    speech = random_speech(1, frames, seed=seed + 1)
    # Texts of four symbols at most, however many frames there are.
    longest = (LONGEST + 0.5) / frames
    found = joint_beam(
        network, speech, beam=WIDE, ctc_weight=weight, longest=longest, length_power=length_power
    )
    agrees(found[0], scores_of_all(network, speech[0], weight), length_power=length_power)


@given(st.integers(0, 100_000), WEIGHTS, st.floats(0, 2), st.floats(-1, 2))
@settings(max_examples=20, deadline=None)
def test_with_a_language_model_of_words_it_is_the_best_of_the_sum(
    seed: int, weight: float, lm_weight: float, bonus: float
) -> None:
    network = TinyRecogniser(SYMBOLS, seed=seed)
    speech = random_speech(1, 4, seed=seed + 1)
    lm = WordFusion(WordBigrams(), PIECES, weight=lm_weight, bonus=bonus)
    found = joint_beam(network, speech, beam=WIDE, ctc_weight=weight, lm=lm)
    scores = scores_of_all(network, speech[0], weight)
    agrees(found[0], {text: s + fused(text, weight=lm_weight, bonus=bonus) for text, s in scores.items()})


@given(st.integers(0, 100_000), WEIGHTS, st.floats(0, 2), st.floats(-1, 2))
@settings(max_examples=20, deadline=None)
def test_with_a_language_model_of_symbols_it_is_the_best_of_the_sum(
    seed: int, weight: float, lm_weight: float, bonus: float
) -> None:
    network = TinyRecogniser(SYMBOLS, seed=seed)
    speech = random_speech(1, 4, seed=seed + 1)
    model = SymbolBigrams(seed + 2)
    found = joint_beam(
        network, speech, beam=WIDE, ctc_weight=weight, lm=SymbolFusion(model, weight=lm_weight, bonus=bonus)
    )
    scores = scores_of_all(network, speech[0], weight)
    for text in scores:
        pairs = zip([BOS, *text], [*text, EOS], strict=True)
        log_prob = sum(model.table[pair].item() for pair in pairs)
        scores[text] += lm_weight * log_prob + bonus * len(text)
    agrees(found[0], scores)


def test_padding_and_company_change_nothing() -> None:
    network = TinyRecogniser(SYMBOLS, seed=4)
    lengths = torch.tensor([4, 9, 0, 6])
    speech = torch.full((4, 11, 6), 1e3, dtype=torch.float64)
    for row, length in enumerate(lengths.tolist()):
        speech[row, :length] = random_speech(1, length, seed=row)[0]
    together = joint_beam(network, speech, lengths, beam=5, ctc_weight=0.4)
    for row, length in enumerate(lengths.tolist()):
        (alone,) = joint_beam(network, speech[row : row + 1, :length], beam=5, ctc_weight=0.4)
        assert [h.symbols for h in together[row]] == [h.symbols for h in alone]
        assert [h.score for h in together[row]] == pytest.approx([h.score for h in alone], abs=1e-9)
    assert together[2] == [Hypothesis((), 0.0)]


def test_utterances_that_do_not_fit_into_memory_together_are_searched_in_groups(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = TinyRecogniser(SYMBOLS, seed=4)
    lengths = torch.tensor([4, 9, 7, 6])
    speech = random_speech(4, 9, seed=0)
    at_once = joint_beam(network, speech, lengths, beam=5, ctc_weight=0.4)
    monkeypatch.setattr("denas_asr.decoding.joint.GROUP_NUMBERS", 2 * 9 * 6)
    in_groups = joint_beam(network, speech, lengths, beam=5, ctc_weight=0.4)
    assert [[h.symbols for h in found] for found in in_groups] == [
        [h.symbols for h in found] for found in at_once
    ]


def test_wider_beams_find_texts_that_score_as_high_or_higher() -> None:
    means = []
    for beam in (1, 2, 4, 16):
        best = [
            joint_beam(
                TinyRecogniser(6, seed=seed), random_speech(1, 10, seed=seed), beam=beam, ctc_weight=0.3
            )
            for seed in range(20)
        ]
        means.append(sum(found[0][0].score for found in best) / len(best))
    # A text that is found again scores the same but for rounding.
    assert all(wider > narrower - 1e-9 for narrower, wider in itertools.pairwise(means))
    assert means[-1] - means[0] > 0.05


def test_a_side_without_weight_is_not_asked() -> None:
    network = TinyRecogniser(SYMBOLS, seed=0)
    joint_beam(network, random_speech(2, 5, seed=0), beam=4, ctc_weight=1.0)
    assert network.calls == 0


def test_a_text_is_as_long_as_its_frames_at_most() -> None:
    network = TinyRecogniser(SYMBOLS, seed=0)
    speech = random_speech(1, 6, seed=0)
    # Every symbol more is worth it.
    lm = SymbolFusion(SymbolBigrams(0), weight=0.0, bonus=100.0)
    for longest, length in ((1.0, 6), (0.5, 3), (0.01, 1)):
        found = joint_beam(network, speech, beam=2, ctc_weight=0.0, lm=lm, longest=longest)
        assert len(found[0][0].symbols) == length


def test_it_stops_once_longer_texts_get_ever_worse() -> None:
    network = TinyRecogniser(SYMBOLS, seed=0)
    network.output[:, EOS] = 0.0
    network.past[:] = 0.0
    speech = random_speech(1, 40, seed=0)
    # With a bonus, texts of forty symbols might always catch up by the bound alone.
    lm = SymbolFusion(lambda texts: SymbolBigrams(0)(texts) - 9.0, weight=1.0, bonus=2.0)
    joint_beam(network, speech, beam=2, ctc_weight=0.3, lm=lm)
    assert network.calls < 10


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_outputs_that_are_no_numbers_are_refused(wrong: float) -> None:
    speech = random_speech(2, 5, seed=0)
    network = TinyRecogniser(SYMBOLS, seed=0)
    network.output[2, 4] = wrong
    with pytest.raises(NoResult, match="outputs of the network are"):
        joint_beam(network, speech, beam=4, ctc_weight=0.3)
    network = TinyRecogniser(SYMBOLS, seed=0)
    network.read_out[2, 4] = wrong
    with pytest.raises(NoResult, match="outputs of the network are"):
        joint_beam(network, speech, beam=4, ctc_weight=0.3)
