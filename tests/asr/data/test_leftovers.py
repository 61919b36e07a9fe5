"""White space, hidden files, Unicode forms and encodings: what people have in real folders."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from denas_asr.data.utterances import read_split
from denas_core.errors import ConfigError
from tests.asr.speech_files import write_audio, write_librispeech

CAFE = "caf\u00e9"


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize("space", ["\t", "  ", "\u00a0", "\u3000", " \t "])
def test_any_white_space_ends_an_id(tmp_path: Path, space: str) -> None:
    part = write_librispeech(tmp_path / "train", {"1-2-0000": "ONE"})
    (part / "1/2/1-2.trans.txt").write_text(f"1-2-0000{space}ONE  TWO\r\n", encoding="utf-8")
    utterances, problems = read_split(part)
    assert utterances[0].text == "ONE TWO" and not len(problems)


def test_characters_that_cannot_be_seen_are_shown(tmp_path: Path) -> None:
    part = write_librispeech(tmp_path / "train", {"1-2-0000": "ONE"})
    (part / "1/2/1-2.trans.txt").write_text("1-2-0000\u200b TWO\n1-2-0000 ONE\n", encoding="utf-8")
    assert read_split(part).problems.lines() == [r"transcript without audio: 1 ('1-2-0000\u200b')"]
    write_audio(tmp_path / "a.wav")
    (tmp_path / "a.csv").write_text(f"path,text\na.wav,A\n{nfd('é')}.wav,B\n", encoding="utf-8")
    (line,) = read_split(tmp_path / "a.csv").problems.lines()
    assert line == r"missing audio: 1 ('e\u0301.wav': 'e\u0301.wav')"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_another_unicode_form_are_found(tmp_path: Path, form: str) -> None:
    written, stored = unicodedata.normalize(form, CAFE), CAFE if form == "NFD" else nfd(CAFE)
    write_audio(tmp_path / stored / f"{stored}.wav")
    (tmp_path / "a.csv").write_text(f"path,text\n{written}/{written}.wav,A\n", encoding="utf-8")
    assert len(read_split(tmp_path / "a.csv").utterances) == 1
    folder = tmp_path / "train" / "1"
    write_audio(folder / f"{stored}.flac")
    (folder / "1.trans.txt").write_text(f"{written} ONE", encoding="utf-8")
    assert not len(read_split(tmp_path / "train").problems)
    write_audio(tmp_path / "test" / f"{stored}.wav")
    (tmp_path / "test" / f"{written}.txt").write_text("ONE")
    assert not len(read_split(tmp_path / "test").problems)


def test_nothing_hidden_is_read_and_all_of_it_is_named(tmp_path: Path) -> None:
    part = write_librispeech(tmp_path / "train", {"1-2-0000": "ONE"})
    chapter = part / "1" / "2"
    (chapter / "._1-2-0000.flac").write_bytes(b"leftover")
    (chapter / ".DS_Store").write_bytes(b"leftover")
    (chapter / "._1-2.trans.txt").write_bytes(b"\0\1leftover")
    write_librispeech(part / "__MACOSX", {"9-9-0000": "NINE"})
    write_librispeech(part / "1" / "2" / "deeper", {"8-8-0000": "EIGHT"})
    (part / "again").symlink_to(part / "1")
    utterances, problems = read_split(part)
    assert [each.id for each in utterances] == ["1-2-0000"] and not len(problems)
    assert problems.notices() == (
        f"{str(part)!r} is read without folder that a link repeats: 1 (again)",
        f"{str(part)!r} is read without folder that lies too deep: 1 (1/2/deeper)",
        f"{str(part)!r} is read without hidden file or folder: 4 (__MACOSX; 1/2/.DS_Store; "
        "1/2/._1-2-0000.flac; ...)",
    )
    read_split(part, strict=True)
    (tmp_path / "._train.csv").write_text("path,text\n")
    assert read_split(tmp_path).utterances


def test_links_to_folders_are_read(tmp_path: Path) -> None:
    write_librispeech(tmp_path / "elsewhere", {"1-2-0000": "ONE"})
    (tmp_path / "data" / "train").mkdir(parents=True)
    (tmp_path / "data" / "train" / "1").symlink_to(tmp_path / "elsewhere" / "1")
    assert len(read_split(tmp_path / "data").utterances) == 1


def test_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav")
    write_audio(tmp_path / "b.wav")
    (tmp_path / "a.txt").write_text("A")
    (tmp_path / "c.txt").write_text("C")
    (tmp_path / "d.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    _, problems = read_split(tmp_path)
    assert problems.lines() == ["transcript without audio: 1 (c.txt)", "audio without transcript: 1 (b.wav)"]
    assert problems.remark_lines() == ["file of another kind: 1 (d.m4a)"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_other_encodings_of_unicode_are_read(tmp_path: Path, encoding: str) -> None:
    part = write_librispeech(tmp_path / "train", {"1-2-0000": "ONE"})
    (part / "1/2/1-2.trans.txt").write_bytes("1-2-0000 ÉTÉ\r\n".encode(encoding))
    assert read_split(part).utterances[0].text == "ÉTÉ"


def test_latin_1_is_refused_with_the_byte_and_what_it_would_be(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav")
    (tmp_path / "a.csv").write_bytes("path;text\na.wav;été\n".encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        read_split(tmp_path / "a.csv")
    assert str(caught.value) == (
        f"manifest {str(tmp_path / 'a.csv')!r} is not a table in UTF-8: line 2 is not UTF-8: it has the byte 0xe9; in "
        "Latin-1 it would be 'a.wav;été'; save the file as UTF-8"
    )
    (tmp_path / "a.csv").write_bytes(b"\x1f\x8bnot really compressed")
    with pytest.raises(ConfigError, match="is compressed with gzip and damaged: "):
        read_split(tmp_path / "a.csv")
