"""Pairs of texts from tables and from two files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_nlp.writing.pairs import Pair, PairReader
from denas_nlp.writing.task import Seq2Seq
from tests.nlp.toy_decoder_space import ToyDecoder
from tests.nlp.toy_text_space import ToyText


def test_tables_with_usual_and_named_columns_are_pairs(tmp_path: Path) -> None:
    path = tmp_path / "news.csv"
    path.write_text("id,article,highlights\n" + "".join(f"{n},text {n},sum {n}\n" for n in range(20)))
    pairs, notices = PairReader().read_table(path)
    assert pairs[3] == Pair("text 3", "sum 3") and len(pairs) == 20
    assert notices == ("'news.csv' is CSV with commas: 'highlights' is written from 'article'",)
    nested = tmp_path / "opus.jsonl"
    rows = [{"translation": {"en": f"house {n}", "de": f"Haus {n}"}} for n in range(20)]
    nested.write_text("".join(json.dumps(row) + "\n" for row in rows))
    reader = PairReader(source="translation.en", target="translation.de")
    assert reader.read_table(nested)[0][1] == Pair("house 1", "Haus 1")
    with pytest.raises(
        ConfigError, match=r"no known columns of texts to read and to write: it has 'translation'"
    ):
        PairReader().read_table(nested)
    with pytest.raises(ConfigError, match=r"has no column 'artcle' \(task\.source\)"):
        PairReader(source="artcle", target="highlights").read_table(path)


def test_two_files_line_by_line_are_pairs(tmp_path: Path) -> None:
    for ending, word in (("en", "house"), ("de", "Haus")):
        (tmp_path / f"train.{ending}").write_text("".join(f"{word} {n}\n" for n in range(30)))
        (tmp_path / f"dev.{ending}").write_text(f"{word}\n")
    reader = PairReader(source="en", target="de")
    parts = reader.read(tmp_path, to_evaluate=False, valid_share=0.1)
    assert parts.train is not None and parts.train[29] == Pair("house 29", "Haus 29")
    assert list(parts.valid) == [Pair("house", "Haus")]
    assert list(reader.read(tmp_path, to_evaluate=True, valid_share=0.1).valid) == list(parts.valid)
    (tmp_path / "dev.de").unlink()
    parts = reader.read(tmp_path, to_evaluate=False, valid_share=0.1)
    assert parts.train is not None and (len(parts.train), len(parts.valid)) == (27, 3)
    (tmp_path / "train.de").write_text("Haus\n")
    with pytest.raises(ConfigError, match=r"has 30 lines and 'train\.de' has 1; line by line"):
        reader.read(tmp_path, to_evaluate=False, valid_share=0.1)


def test_networks_that_read_and_write_one_text_are_unsuitable() -> None:
    for space in (ToyText().named("toy/text"), ToyDecoder().named("toy/decoder")):
        assert "no language models of this kind" in Seq2Seq().named("nlp/seq2seq").why_unsuitable(space)


def test_pairs_are_described_and_labels_are_not_texts_to_write(tmp_path: Path) -> None:
    task = Seq2Seq().named("nlp/seq2seq")
    path = tmp_path / "news.csv"
    path.write_text("article,summary\n" + "".join(f"text {n},sum {n}\n" for n in range(20)))
    found = task.describe(path)
    assert found is not None and found.exact and found.samples == {"train": 20}
    path.write_text("text,label\n" + "".join(f"text {n},{n % 2}\n" for n in range(20)))
    assert task.describe(path) is None
    assert task.describe(tmp_path / "picture.png") is None
