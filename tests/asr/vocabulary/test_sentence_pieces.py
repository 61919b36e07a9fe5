"""Vocabularies of pieces of words."""

from __future__ import annotations

import io
import pickle
import sys
from pathlib import Path

import pytest

from denas_asr.vocabulary.sentence_pieces import SentencePieces
from denas_core.errors import ConfigError, NotInstalled

from .test_characters import again

sentencepiece = pytest.importorskip("sentencepiece")

NOUNS = (
    "HOUSE",
    "MOUSE",
    "HORSE",
    "NURSE",
    "GARDEN",
    "WINDOW",
    "RIVER",
    "LAMP",
    "FIELD",
    "STONE",
    "MORNING",
    "EVENING",
)
NOUNS = (*NOUNS, "WINTER", "SUMMER", "BROTHER", "SISTER")
TEXTS = [
    f"THE {noun} {verb} OF THE {NOUNS[-i]}" for i, noun in enumerate(NOUNS) for verb in ("IS", "WAS", "HAD")
]


@pytest.fixture(scope="module")
def vocabulary() -> SentencePieces:
    return SentencePieces.trained(TEXTS, 40)


def test_it_has_as_many_pieces_as_were_asked_for_behind_the_special_symbols(
    vocabulary: SentencePieces,
) -> None:
    assert len(vocabulary) == 3 + 40
    assert vocabulary.pieces[:3] == ("<blank>", "<bos>", "<eos>")
    assert "THE" in vocabulary.pieces and "▁" in vocabulary.pieces and "<unk>" not in vocabulary.pieces


def test_texts_come_back(vocabulary: SentencePieces) -> None:
    assert [vocabulary.decode(vocabulary.encode(text)) for text in TEXTS] == TEXTS
    space, the = vocabulary.encode("THE")
    assert vocabulary.decode([1, space, the, 0, -1, space, the, 99, 2]) == "THE THE"
    assert vocabulary.decode([]) == ""


def test_what_is_unknown_is_left_out_and_told(vocabulary: SentencePieces) -> None:
    assert vocabulary.unknown("THE XX OF É") == ["XX", "É"]
    assert vocabulary.unknown("THE MOUSE") == []
    assert vocabulary.decode(vocabulary.encode("THE X")).strip() == "THE"


def test_it_is_the_same_each_time_and_from_its_facts(vocabulary: SentencePieces) -> None:
    assert SentencePieces.trained(TEXTS, 40).as_facts() == vocabulary.as_facts()
    assert again(vocabulary).as_facts() == vocabulary.as_facts()
    # Bytes of our own.
    copy = pickle.loads(pickle.dumps(vocabulary))  # noqa: S301
    assert copy.encode(TEXTS[0]) == vocabulary.encode(TEXTS[0])


def test_a_model_of_somebody_else_keeps_its_pieces_but_not_its_special_ones(tmp_path: Path) -> None:
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_writer=written,
        model_type="bpe",
        vocab_size=30,
        pad_id=3,
        minloglevel=2,
    )
    (tmp_path / "bpe.model").write_bytes(written.getvalue())
    found = SentencePieces.read(tmp_path / "bpe.model")
    # Of its 30 pieces, unknown, beginning, end and padding stand for no text.
    assert len(found) == 3 + 26
    assert found.decode(found.encode("THE HOUSE")) == "THE HOUSE"
    assert min(found.encode("THE HOUSE")) >= 3


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        (
            5000,
            r"vocab 'sentencepiece:5000' does not suit the training transcripts: they have at most \d\d pieces",
        ),
        (
            3,
            r"vocab 'sentencepiece:3' .*: their characters alone are \d\d pieces; choose at least as many, or char",
        ),
    ],
)
def test_a_number_of_pieces_that_does_not_suit_is_one_line_with_one_that_does(
    pieces: int, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        SentencePieces.trained(TEXTS, pieces)
    assert "\n" not in str(caught.value)
    suits = int(str(caught.value).partition("transcripts")[2].partition(" pieces")[0].split()[-1])
    assert len(SentencePieces.trained(TEXTS, suits)) == 3 + suits


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.model").write_text("no model")
    with pytest.raises(ConfigError, match=r"text.model' is not a SentencePiece model: [^\n]*$"):
        SentencePieces.read(tmp_path / "text.model")
    with pytest.raises(ConfigError, match=r"vocab '.*none.model' cannot be read: No such file"):
        SentencePieces.read(tmp_path / "none.model")
    with pytest.raises(ConfigError, match="the training transcripts are empty"):
        SentencePieces.trained([" "], 5)


def test_without_sentencepiece_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(NotInstalled, match=r"pip install 'denas-asr\[sentencepiece\]'"):
        SentencePieces.trained(TEXTS, 40)
