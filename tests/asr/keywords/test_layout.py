"""Clips are found in the layouts that people have, and what is not read is named."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from denas_asr.keywords.clips import ClipData
from denas_asr.keywords.layout import find_clips
from denas_asr.keywords.manifest import ANY_LABELS, LabelColumns
from denas_core.errors import ConfigError
from tests.asr.speech_files import write_audio, write_librispeech

from .clip_files import write_words


def found_in(folder: Path) -> ClipData:
    found = find_clips(folder)
    assert found is not None
    return found


def names(clips: object) -> list[str]:
    return ["/".join(clip.audio.split("/")[-2:]) for clip in clips]  # type: ignore[attr-defined]


def test_lists_of_speech_commands_divide_the_clips(tmp_path: Path) -> None:
    write_words(tmp_path, ["yes", "no"], ["a_nohash_0.wav", "b_nohash_0.wav", "c_nohash_0.wav"])
    (tmp_path / "validation_list.txt").write_text("yes/b_nohash_0.wav\r\nno\\b_nohash_0.wav\n")
    (tmp_path / "testing_list.txt").write_text("./yes/c_nohash_0.wav\n")
    write_audio(tmp_path / "_background_noise_" / "tap.wav", 2.0)
    found = found_in(tmp_path)
    assert names(found.valid) == ["no/b_nohash_0.wav", "yes/b_nohash_0.wav"]
    assert names(found.test) == ["yes/c_nohash_0.wav"]
    assert len(found.train) == 3 and found.labels == {"no": 3, "yes": 3}
    assert found.noise == [str(tmp_path / "_background_noise_" / "tap.wav")]


def test_a_list_that_names_no_file_is_an_error(tmp_path: Path) -> None:
    write_words(tmp_path, ["yes", "no"], ["a.wav"])
    (tmp_path / "validation_list.txt").write_text("yes/other.wav\n")
    with pytest.raises(ConfigError, match=r"validation_list.txt' names no file that is there.*yes/other.wav"):
        find_clips(tmp_path)


@pytest.mark.parametrize("above", [".", "speech_commands_v2"])
def test_parts_are_folders(tmp_path: Path, above: str) -> None:
    write_words(tmp_path / above / "Train", ["yes", "no"], ["a.wav", "b.wav"])
    write_words(tmp_path / above / "dev", ["yes"], ["c.wav"])
    write_words(tmp_path / above / "test", ["no"], ["d.wav"])
    found = found_in(tmp_path)
    assert (len(found.train), names(found.valid), names(found.test)) == (4, ["yes/c.wav"], ["no/d.wav"])


def test_other_layouts_are_not_those_of_words(tmp_path: Path) -> None:
    write_librispeech(tmp_path / "LibriSpeech" / "train")
    write_librispeech(tmp_path / "LibriSpeech" / "dev")
    assert find_clips(tmp_path) is None
    assert find_clips(tmp_path / "missing") is None
    write_audio(tmp_path / "one" / "a.wav")
    assert find_clips(tmp_path) is None


def test_what_is_not_read_is_counted_and_named(tmp_path: Path) -> None:
    write_words(tmp_path, ["yes", "no"], ["a.wav", "b.wav"])
    write_audio(tmp_path / "yes" / ".ipynb_checkpoints" / "x.wav")
    write_audio(tmp_path / "elsewhere" / "deeper" / "y.wav")
    (tmp_path / "no" / "more").symlink_to(tmp_path / "elsewhere")
    write_audio(tmp_path / "loose.wav")
    (tmp_path / "no" / "notes.txt").write_text("x")
    (tmp_path / "__MACOSX" / "no").mkdir(parents=True)
    write_audio(tmp_path / "no" / "._a.wav")
    found = found_in(tmp_path)
    assert len(found.train) == 4
    text = "\n".join(found.notices)
    assert "is read without hidden file or folder: 1 (" in text and ".ipynb_checkpoints" in text
    assert "link to a folder: 1" in text
    assert "recording outside the folders of words: 1" in text and "loose.wav" in text
    assert "file of another kind: 1" in text and "notes.txt" in text
    assert "folder without audio directly in it: 1" in text and "elsewhere" in text


def test_words_that_differ_in_their_unicode_form_are_the_same_word(tmp_path: Path) -> None:
    for part, form in (("train", "NFC"), ("test", "NFD")):
        write_words(
            tmp_path / part, [unicodedata.normalize(form, word) for word in ("café", "thé")], ["a.wav"]
        )
    found = found_in(tmp_path)
    assert list(found.labels) == [unicodedata.normalize("NFC", word) for word in ("café", "thé")]


@pytest.mark.parametrize("head", ["path,label,split", "Datei;Wort;Teil", "file\tkeyword\tset"])
def test_a_table_lists_recordings_with_their_words(tmp_path: Path, head: str) -> None:
    write_words(tmp_path / "clips", ["yes", "no"], ["a.wav", "b.wav", "c.wav"])
    mark = next(mark for mark in ",;\t" if mark in head)
    rows = [("clips/yes/a.wav", "yes", "train"), ("clips\\no\\a.wav", "no", "train")]
    rows += [
        ("clips/yes/b.wav", "yes", "Validation"),
        ("yes/c.wav", "yes", "test"),
        ("clips/gone.wav", "no", "test"),
    ]
    rows += [("clips/no/c.wav", "", "train")]
    if "Teil" in head:
        head, rows = head.removesuffix(";Teil"), [row[:2] for row in rows]
    (tmp_path / "clips.csv").write_text("\n".join([head, *map(mark.join, rows)]) + "\n")
    named = LabelColumns(audio="datei", label="wort") if "Wort" in head else ANY_LABELS
    for data in (tmp_path, tmp_path / "clips.csv"):
        found = find_clips(data, named)
        assert found is not None and found.format == "a table of recordings with their words"
        counts = (len(found.train), len(found.valid), len(found.test))
        assert counts == ((4, 0, 0) if "Wort" in head else (2, 1, 1))
        assert found.labels == {"no": 1, "yes": 3}
        text = "\n".join(found.notices)
        assert "missing audio: 1" in text and "recording without a word: 1" in text


def test_tables_of_parts_and_parts_that_are_not_known(tmp_path: Path) -> None:
    write_words(tmp_path, ["yes", "no"], ["a.wav", "b.wav"])
    for part, name in (("train", "a"), ("test", "b")):
        rows = [f"{word}/{name}.wav,{word}" for word in ("yes", "no")]
        (tmp_path / f"{part}.csv").write_text("\n".join(["path,word", *rows]) + "\n")
    found = found_in(tmp_path)
    assert (len(found.train), len(found.valid), len(found.test)) == (2, 0, 2)
    (tmp_path / "other.csv").write_text("path,label,split\nyes/a.wav,yes,somewhere\n")
    with pytest.raises(ConfigError, match="has the part 'somewhere', which is none of train, valid and test"):
        find_clips(tmp_path / "other.csv")


def test_tables_of_pictures_and_texts_are_not_those_of_words(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "images.csv").write_text("path,label\na.png,cat\nb.png,dog\n")
    assert find_clips(tmp_path) is None
    (tmp_path / "images.csv").write_text("file,text,label\nx,a fine film,good\ny,a dull film,bad\n")
    assert find_clips(tmp_path / "images.csv") is None
    (tmp_path / "images.csv").write_text("file,label\nx.wav,yes\ny.wav,no\n")
    with pytest.raises(ConfigError, match="lists no recording that is there"):
        find_clips(tmp_path)
