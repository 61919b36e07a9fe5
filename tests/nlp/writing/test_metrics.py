"""How similar texts are that were written: numbers worked out by hand, and those of libraries."""

from __future__ import annotations

import random
from typing import Any

import pytest

from denas_nlp.writing.metrics import text_metrics
from denas_nlp.writing.rouge import longest_common, rouge, words_of


def test_words_in_common_give_the_f1() -> None:
    found = text_metrics(["the old town", "a  b", ""], ["the town", "a b", "c"])
    # 2 of 3 words are wanted, and 2 of 2 wanted words are there: 2 * 2 / (3 + 2).
    assert found["word_f1"] == pytest.approx((0.8 + 1 + 0) / 3)
    assert found["exact_match"] == pytest.approx(1 / 3)


def test_rouge_is_the_f1_of_words_of_neighbours_and_of_the_longest_common_sequence() -> None:
    # The example of Lin 2004, section 3.1: both texts have 3 of 4 words; "police ... gunman" are 2 in another order.
    wanted = "police killed the gunman"
    one, other = rouge("police kill the gunman", wanted), rouge("the gunman kill police", wanted)
    assert one == {"rouge1": 0.75, "rouge2": pytest.approx(1 / 3), "rouge_l": 0.75}
    assert other == {"rouge1": 0.75, "rouge2": pytest.approx(1 / 3), "rouge_l": 0.5}
    assert rouge("", wanted) == rouge(wanted, "") == {"rouge1": 0.0, "rouge2": 0.0, "rouge_l": 0.0}
    assert words_of("Don't, B_52 \u00dcber!") == ["don", "t", "b", "52", "\u00fcber"]
    assert longest_common("axbyc", "abzc") == 3


def test_corpus_metrics_are_shares_of_all_texts_together() -> None:
    wanted = ["the old town is quiet today", "a river runs through it"]
    right = text_metrics(wanted, wanted)
    assert {name: right[name] for name in ("exact_match", "rouge1", "rouge2", "rouge_l")} == dict.fromkeys(
        ("exact_match", "rouge1", "rouge2", "rouge_l"), 1.0
    )
    assert right["chrf"] == pytest.approx(1.0) and right["bleu"] == pytest.approx(1.0)
    wrong = text_metrics(["xxxx", "xxxx"], wanted)
    assert wrong["chrf"] == wrong["bleu"] == wrong["rouge_l"] == 0.0
    # chrF of one letter of two: only runs of one letter are in both texts, with precision 1 and recall 1/2, which has
    # twice the weight (beta = 2): 5 * 1 * 0.5 / (4 * 1 + 0.5).
    assert text_metrics(["a"], ["ab"])["chrf"] == pytest.approx(2.5 / 4.5)


@pytest.mark.parametrize("letters", ["abc", "\u00e4\u03b2\u0436"])
def test_rouge_is_that_of_the_library(letters: str) -> None:
    scorer: Any = pytest.importorskip("rouge_score.rouge_scorer")

    class Words:
        """The library drops letters outside ASCII, unless a tokenizer is given."""

        def tokenize(self, text: str) -> list[str]:
            return words_of(text)

    names = {"rouge1": "rouge1", "rouge2": "rouge2", "rouge_l": "rougeL"}
    library = scorer.RougeScorer(list(names.values()), tokenizer=None if letters.isascii() else Words())
    rng = random.Random(0)

    def text() -> str:
        words = ["".join(rng.choices(letters, k=rng.randint(1, 2))) for _ in range(rng.randint(0, 12))]
        return rng.choice([" ", ", ", "-", " _"]).join(words).title()

    for _ in range(300):
        found, wanted = text(), text()
        theirs = library.score(wanted, found)
        assert rouge(found, wanted) == pytest.approx(
            {name: theirs[own].fmeasure for name, own in names.items()}
        )
