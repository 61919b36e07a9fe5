"""WordPiece from a vocab.txt: what tokens a text has, and what is said of a damaged vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_nlp.text.opening import tokenizer_json
from denas_nlp.text.tokenizer import TextTokenizer
from denas_nlp.text.word_pieces import NEEDED, is_lower_case, read_vocabulary
from tests.nlp.texts import REAL, WORDS, needs_real_data, word_pieces, write_vocab

SENTENCE = "Étienne said: \"It's 1,234.5 naïve—Zürich's [SEP] 東京!\" \t\x00 end\u00a0of a xylo-qqqphone"


def refused(content: bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        read_vocabulary(Path("vocab.txt"), content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_text_becomes_the_longest_pieces_of_its_words() -> None:
    tokens = word_pieces().tokens("The Rivers, in 1817.")
    # the, river, ##s, ",", in, 18, ##17, "."
    assert list(tokens.ids) == [4, 7, 8, 13, 10, 11, 12, 14]
    assert list(tokens.starts) == [0, 4, 9, 10, 12, 15, 17, 19]
    assert list(tokens.ends) == [3, 9, 10, 11, 14, 17, 19, 20]


def test_accents_go_and_places_stay_those_of_the_text() -> None:
    tokens = word_pieces().tokens("thé ÓLD")
    assert list(tokens.ids) == [4, 9]
    assert (list(tokens.starts), list(tokens.ends)) == ([0, 4], [3, 7])


def test_words_that_no_pieces_make_are_unknown() -> None:
    tokenizer = word_pieces()
    ids = tokenizer.tokens("the xyz riverx").ids
    assert list(ids) == [4, 1, 1]
    assert tokenizer.unknown(ids) == 2


def test_one_text_and_two_have_the_special_tokens_of_bert() -> None:
    tokenizer = word_pieces()
    ids, segments = tokenizer.single.around([7, 8])
    assert (list(ids), list(segments)) == ([2, 7, 8, 3], [0, 0, 0, 0])
    ids, segments = tokenizer.pair.around([7], [9, 9])
    assert (list(ids), list(segments)) == ([2, 7, 3, 9, 9, 3], [0, 0, 0, 1, 1, 1])
    assert (tokenizer.single.length, tokenizer.pair.length, tokenizer.pad) == (2, 3, 0)
    assert tokenizer.size == len(NEEDED) + len(WORDS)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["[CLS]", "the", "é", "1"], True),
        (["[CLS]", "The"], False),
        (["[CLS]", "É"], False),
        (["the", "[X", "]"], False),
    ],
)
def test_a_vocabulary_without_upper_case_is_for_lower_case_texts(tokens: list[str], expected: bool) -> None:
    assert is_lower_case(tokens) is expected


def test_lower_case_can_be_said(tmp_path: Path) -> None:
    path = write_vocab(tmp_path, ["the", "The"])
    for said, expected in ((None, [5, 4]), (True, [4, 4]), (False, [5, 4])):
        tokenizer = TextTokenizer(tokenizer_json(path, lower_case=said), origin="a test")
        assert list(tokenizer.tokens("The the").ids) == expected


def test_lines_may_end_as_on_windows_and_begin_with_a_mark_and_a_token_may_separate_lines_elsewhere() -> None:
    lines = [*NEEDED, "a", "\u2028", "\x85"]
    assert read_vocabulary(Path("v"), "\r\n".join(lines).encode("utf-8-sig") + b"\r\n") == lines


def test_what_is_no_vocabulary_is_refused_with_the_reason() -> None:
    whole = "\n".join(NEEDED)
    assert "lacks [PAD], [UNK], [CLS], [SEP]; give its vocab.txt, or the tokenizer.json" in refused(
        b"the\nof\n"
    )
    assert "it lacks [SEP];" in refused(b"[PAD]\n[UNK]\n[CLS]\n")
    assert "line 5 is empty" in refused(f"{whole}\n\nthe\n".encode())
    assert "'the' is in line 5 and again in line 7" in refused(f"{whole}\nthe\nof\nthe\n".encode())
    assert "not UTF-8" in refused(b"\xff\xfe\x00")
    assert "line 1 is empty" in refused(b"")


@needs_real_data
@pytest.mark.parametrize("name", ["bert-base-uncased", "bert-base-cased"])
def test_the_real_vocabularies_make_the_tokens_of_transformers(name: str, tmp_path: Path) -> None:
    from transformers import BertTokenizer

    path = REAL / "bert-vocab" / name / "vocab.txt"
    ours = TextTokenizer(tokenizer_json(path), origin=name)
    lower = name.endswith("uncased")
    theirs = BertTokenizer(vocab=str(path), do_lower_case=lower)
    first, second = ours.tokens(SENTENCE), ours.tokens("Beyond the river.")
    ids, segments = ours.pair.around(first.ids, second.ids)
    expected = theirs(SENTENCE, "Beyond the river.")
    assert list(ids) == expected["input_ids"]
    assert list(segments) == expected["token_type_ids"]
    assert ours.size == (30522 if lower else 28996)
