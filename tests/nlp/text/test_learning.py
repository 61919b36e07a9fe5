"""Vocabularies that are learnt from the training texts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_nlp.glue.tasks import SST2
from denas_nlp.squad.task import Squad
from denas_nlp.text.learning import is_learnt, learn_word_pieces, learnt_vocabulary
from denas_nlp.text.word_pieces import HIDDEN, NEEDED
from tests.nlp.texts import squad, write_json, write_rows
from tests.nlp.toy_text_space import ToyText

WORDS = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
"""The example of Sennrich et al. 2016 (arXiv:1508.07909), figure 1."""

LETTERS = ["##e", "##w", "##s", "##t", "##o", "l", "n", "##d", "##i", "w", "##r"]
SPECIAL = len(NEEDED) + 1


def test_the_most_frequent_pairs_are_joined_as_in_the_paper() -> None:
    # By hand: es and st occur 9 times each, and es comes first in the alphabet; ow and lo occur 7 times each.
    joined = ["##es", "##est", "##ow", "low", "##ew", "##ewest", "newest", "##dest", "##idest", "widest"]
    # The pair "low" and "##e" of the word "lower" occurs twice.
    joined += ["##er", "lower"]
    assert learn_word_pieces(WORDS, 100) == [*LETTERS, *joined]
    assert learn_word_pieces(WORDS, 14) == [*LETTERS, *joined[:3]]


def test_a_pair_that_occurs_once_is_not_joined() -> None:
    assert learn_word_pieces({"ab": 1, "ac": 1}, 10) == ["a", "##b", "##c"]


def test_the_rarest_letters_are_left_out_if_there_is_no_room() -> None:
    assert learn_word_pieces({"ab": 3, "q": 1}, 2) == ["##b", "a"]


def test_every_process_learns_the_same() -> None:
    code = (
        "from denas_nlp.text.learning import learn_word_pieces as learn; "
        "print(learn({'lows': 4, 'lower': 4, 'sown': 4, 'own': 4, 'news': 4}, 30))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(printed) == 1


def test_texts_are_normalised_and_split_as_by_the_tokenizer() -> None:
    texts = ["The café, the CAFÉ!"] * 2
    lower = learnt_vocabulary("wordpiece:100", texts, rows=None, lower_case=True)
    assert lower[:SPECIAL] == [*NEEDED, HIDDEN]
    assert {"the", "cafe", ",", "!"} <= set(lower)
    cased = learnt_vocabulary("wordpiece:100", texts, rows=None, lower_case=False)
    assert {"The", "the", "café", "CAFÉ"} <= set(cased)


def test_without_a_number_a_vocabulary_has_as_many_tokens_as_networks_know() -> None:
    texts = ["one fine day in spring the rivers run"] * 3
    assert len(learnt_vocabulary("wordpiece", texts, rows=30, lower_case=True)) == 30
    assert len(learnt_vocabulary("wordpiece:40", texts, rows=30, lower_case=True)) == 40


@pytest.mark.parametrize(
    ("vocab", "texts", "message"),
    [
        ("wordpiece", ["a"], "do not say how many tokens they know; name a number, such as wordpiece:8192"),
        ("wordpiece:5", ["a"], "wordpiece:5 has no room for words; name more than 5 tokens"),
        ("wordpiece:50", [" ", ""], "the training texts have no words"),
    ],
)
def test_what_cannot_be_learnt_is_refused(vocab: str, texts: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        learnt_vocabulary(vocab, texts, rows=None, lower_case=True)


def test_a_file_of_that_name_can_still_be_given() -> None:
    assert is_learnt("wordpiece") and is_learnt("wordpiece:30")
    assert not any(map(is_learnt, ("./wordpiece", "wordpiece:", "wordpiece.txt", "wordpiece:many", "")))
    assert SST2(vocab="wordpiece:30").vocab == "wordpiece:30"


def test_a_task_learns_from_the_training_texts_and_keeps_what_it_learnt(tmp_path: Path) -> None:
    write_rows(tmp_path / "train.tsv", [f"the quiet river\t{n % 2}" for n in range(8)])
    write_rows(tmp_path / "dev.tsv", [f"a zebra\t{n % 2}" for n in range(4)])
    space = ToyText().named("toy/text")
    data = SST2(vocab="wordpiece:40").read(tmp_path, space)
    sample = data.train.sample(0)
    assert len(sample.ids) == 2 + 3, "each word is one token, between [CLS] and [SEP]"
    # No letter of "zebra" but e, a and r is known from the training texts.
    assert data.notices[-1].endswith("is it the right one for these texts?")
    again = SST2().read(tmp_path, space, facts=data.facts)
    assert dict(again.facts) == dict(data.facts)


def test_questions_and_paragraphs_are_learnt_from(tmp_path: Path) -> None:
    paragraph = ("old towns in the valley", [("which towns?", "old", 0)])
    write_json(tmp_path / "train-v1.1.json", squad(*[paragraph] * 4))
    write_json(tmp_path / "dev-v1.1.json", squad(paragraph))
    data = Squad(vocab="wordpiece:60").read(tmp_path, ToyText().named("toy/text"))
    assert '"valley"' in data.facts["tokenizer"] and '"which"' in data.facts["tokenizer"]
