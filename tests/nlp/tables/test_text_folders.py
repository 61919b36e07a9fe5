"""Folders with a text in each file, one folder for each label, are a data set like any table."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_nlp.classification.task import TextClassification
from denas_nlp.squad.task import Squad
from denas_nlp.tables.read import read_records
from denas_nlp.tagging.task import TokenClassification
from tests.nlp.texts import write_vocab
from tests.nlp.toy_text_space import ToyText

SPACE = ToyText().named("toy/text")
TASK = TextClassification().named("nlp/text-classification")


def write_texts(folder: Path, count: int = 12, *, name: str = "{}.txt") -> Path:
    for label, text in (("neg", "a dull film"), ("pos", "a fine film")):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            (folder / label / name.format(number)).write_text(f"{text} {number}\nwith two lines\n")
    return folder


def test_a_folder_of_each_label_is_one_table(tmp_path: Path) -> None:
    for name in ("{}.txt", "{}"):
        folder = write_texts(tmp_path / name.replace("{}", "x"), 3, name=name)
        found = read_records(folder)
        assert found.columns == ("text", "label") and not found.notices and not found.damaged
        assert [row.values["label"] for row in found.rows] == ["neg"] * 3 + ["pos"] * 3
        assert found.rows[0].values["text"] == "a dull film 0\nwith two lines\n"


def test_what_is_not_read_is_named_and_damage_has_its_place(tmp_path: Path) -> None:
    folder = write_texts(tmp_path / "texts", 30)
    (folder / "unsup").mkdir()
    (folder / "unsup" / "0.txt").write_text("without a label")
    (folder / "notes.csv").write_text("a,b\n")
    (folder / "pos" / ".DS_Store").write_bytes(b"\0")
    (folder / "pos" / "more").mkdir()
    (folder / "pos" / "0.txt").write_bytes("schön".encode("latin-1"))
    (folder / "neg" / "1.txt").write_bytes(b"\0\0\1")
    (folder / "neg" / "2.txt").write_text(" \n")
    data = TASK.read(folder, SPACE) if write_vocab(folder) else None
    assert data is not None and data.train is not None
    said = " ".join(data.notices)
    assert "are not read: 'notes.csv', 'unsup'" in said and "such as 'pos/more'" in said
    assert "1 of the 60 texts of 'texts' are not UTF-8, such as '0.txt'" in said
    assert "file neg/1.txt (" in said and "file neg/2.txt (no text in 'text')" in said
    assert len(data.train) + len(data.valid) == 58


def test_the_layout_of_imdb_has_its_parts(tmp_path: Path) -> None:
    write_texts(tmp_path / "train")
    write_texts(tmp_path / "test", 5)
    (tmp_path / "README").write_text("a hint")
    (tmp_path / "imdbEr.txt").write_text("0.1\n")
    write_vocab(tmp_path)
    described = TASK.describe(tmp_path)
    assert described is not None and described.samples == {"train": 24, "test": 10}
    assert described.format == "a folder of text files for each label" and not described.notices
    data = TASK.read(tmp_path, SPACE)
    assert data.train is not None and len(data.train) + len(data.valid) == 24
    assert data.facts["labels"] == ["neg", "pos"]
    assert len(TASK.read(tmp_path, SPACE, facts=data.facts).valid) == 10
    # A single part, or its folders alone, can be given, too.
    assert TASK.describe(tmp_path / "train") is not None


def test_a_quick_look_reads_some_of_many_texts(tmp_path: Path) -> None:
    found = read_records(write_texts(tmp_path / "texts", 20), most=20_000)
    assert len(found.rows) == 10 and found.share == 0.25


def test_folders_of_recordings_with_transcripts_and_single_folders_are_something_else(tmp_path: Path) -> None:
    speakers = write_texts(tmp_path / "speakers")
    for label in ("neg", "pos"):
        (speakers / label / "0.wav").write_bytes(b"RIFF")
    single = write_texts(tmp_path / "single")
    for file in (single / "neg").iterdir():
        file.unlink()
    for folder in (speakers, single):
        assert TASK.describe(folder) is None
        with pytest.raises(ConfigError, match="holds no tables of texts and labels"):
            TASK.read(folder, SPACE)
    for other in (TokenClassification(), Squad()):
        assert other.named("nlp/other").describe(write_texts(tmp_path / type(other).__name__)) is None


def test_each_file_of_a_folder_is_one_input_of_a_prediction(tmp_path: Path) -> None:
    folder = write_texts(tmp_path / "texts", 2)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "0.txt").write_text("not read")
    found = dict(TASK.items(folder))
    assert list(found) == [str(folder / label / f"{n}.txt") for label in ("neg", "pos") for n in (0, 1)]
    assert found[str(folder / "pos" / "1.txt")] == "a fine film 1\nwith two lines\n"
