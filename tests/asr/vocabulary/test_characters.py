"""Vocabularies of characters."""

from __future__ import annotations

import json

import pytest

from denas_asr.vocabulary.characters import Characters
from denas_asr.vocabulary.choice import vocabulary_of
from denas_asr.vocabulary.vocabulary import Vocabulary
from denas_core.errors import ConfigError

TEXTS = ["BE  A\tCAB", "É'A"]


def again(vocabulary: Vocabulary) -> Vocabulary:
    """Return a vocabulary that went through JSON."""
    return vocabulary_of(json.loads(json.dumps(vocabulary.as_facts())))


def test_characters_have_the_numbers_behind_the_special_symbols_in_the_order_of_unicode() -> None:
    vocabulary = Characters.of(TEXTS)
    assert vocabulary.pieces == ("<blank>", "<bos>", "<eos>", " ", "'", "A", "B", "C", "E", "É")
    assert len(vocabulary) == 10
    assert vocabulary.encode("BE A") == [6, 8, 3, 5]


def test_a_text_comes_back_with_single_spaces() -> None:
    vocabulary = Characters.of(TEXTS)
    assert [vocabulary.decode(vocabulary.encode(text)) for text in TEXTS] == ["BE A CAB", "É'A"]


def test_special_symbols_and_what_is_none_have_no_text() -> None:
    assert Characters.of(TEXTS).decode([1, 5, 0, -1, 6, 99, 2]) == "AB"


def test_what_is_heard_has_single_spaces_between_words() -> None:
    assert Characters.of(TEXTS).decode([3, 5, 3, 3, 6, 3]) == "A B"


def test_what_is_unknown_is_left_out_and_told() -> None:
    vocabulary = Characters.of(TEXTS)
    assert vocabulary.encode("AXÄB") == [5, 6]
    assert vocabulary.unknown("AXÄB X") == ["X", "Ä", "X"]
    assert vocabulary.unknown("ABE") == []


def test_the_blank_is_no_character_of_a_text() -> None:
    vocabulary = Characters.of(["<blank>"])
    assert min(vocabulary.encode("<blank>")) >= 3


def test_the_facts_make_the_same_vocabulary() -> None:
    vocabulary = Characters.of(TEXTS)
    assert again(vocabulary).pieces == vocabulary.pieces
    assert Characters.of(reversed(TEXTS)).as_facts() == vocabulary.as_facts()


def test_transcripts_without_a_character_are_refused() -> None:
    with pytest.raises(ConfigError, match="the training transcripts are empty"):
        Characters.of(["", "  "])


def test_a_vocabulary_of_another_kind_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"a vocabulary of the kind 'syllables', which this version does not know"
    ):
        vocabulary_of({"kind": "syllables"})
