"""Manifests as the original DE-NAS reads and writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_asr.data.utterances import read_split
from denas_core.errors import ConfigError
from tests.asr.speech_files import write_audio

HEADER = "ID,duration,wav,spk_id,wrd"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in "abc":
        write_audio(tmp_path / "LibriSpeech" / "audio" / f"{name}.flac")
    return tmp_path / "LibriSpeech"


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def refused(data: Path, part: str | None = None) -> str:
    with pytest.raises(ConfigError) as told:
        read_split(data, part)
    assert str(told.value).isprintable()
    return str(told.value)


def test_a_manifest_is_read_in_its_order(data: Path) -> None:
    write(data / "train.csv", "b,9.9,audio/b.flac,7,SECOND ONE", 'a,9.9,audio/a.flac,8,"FIRST, THEN"')
    for place, part in (
        (data, "train"),
        (data, None),
        (data / "train.csv", None),
        (data / "train.csv", "train"),
    ):
        utterances, problems = read_split(place, part)
        assert [(each.id, each.speaker, each.text) for each in utterances] == [
            ("b", "7", "SECOND ONE"),
            ("a", "8", "FIRST, THEN"),
        ]
        # As the file has it, whatever the table says.
        assert [each.seconds for each in utterances] == [0.5, 0.5]
        assert not len(problems)


@pytest.mark.parametrize(
    "header",
    ["ID,duration,wav,spk_id,transcript", "\ufeffID,wav,wrd", "wrd,wav,ID,other", "ID,wav,transcript,wrd"],
)
def test_columns_are_found_by_name(data: Path, header: str) -> None:
    cells = {"ID": "a", "wav": "audio/a.flac", "wrd": "WORDS", "transcript": "WORDS", "duration": "0.5"}
    columns = header.removeprefix("\ufeff").split(",")
    if {"wrd", "transcript"} <= set(columns):
        # The original reads this one where there are both.
        cells["transcript"] = "not read"
    write(data / "train.csv", ",".join(cells.get(column, "x") for column in columns), header=header)
    assert read_split(data).utterances[0].text == "WORDS"


@pytest.mark.parametrize(
    "written",
    [
        "audio/a.flac",
        "$data_root/audio/a.flac",
        "{data_root}/audio/a.flac",
        "${data_folder}/audio/a.flac",
        "$data_root/LibriSpeech/audio/a.flac",
        "LibriSpeech/audio/a.flac",
    ],
)
def test_placeholders_and_relative_paths_begin_at_the_data(data: Path, written: str) -> None:
    write(data / "train.csv", f"a,0.5,{written},1,WORDS")
    assert read_split(data).utterances[0].audio.samefile(data / "audio/a.flac")


def test_paths_may_begin_at_the_manifest_or_be_absolute(data: Path) -> None:
    write(data / "lists/train.csv", "a,1,../audio/a.flac,1,WORDS", f"b,1,{data / 'audio/b.flac'},1,WORDS")
    assert len(read_split(data / "lists").utterances) == 2


def test_a_folder_of_the_same_name_is_read_rather_than_a_manifest(data: Path) -> None:
    write(data / "train.csv", "a,1,audio/a.flac,1,WORDS")
    write(data / "dev.csv", "b,1,audio/b.flac,1,WORDS")
    assert read_split(data, "dev").utterances[0].id == "b"
    assert refused(data).endswith("has several parts, dev, train; choose one")
    assert refused(data, "test").endswith("has no part 'test'; it has dev, train")
    assert "is a manifest, not the part 'test'" in refused(data / "dev.csv", "test")


def test_rows_that_cannot_be_used_are_counted_and_named(data: Path) -> None:
    write(
        data / "train.csv",
        "a,1,audio/a.flac,1,WORDS",
        "b,1,$root/audio/none.flac,1,WORDS",
        "c,1,audio/c.flac,1,  ",
        "d,1,audio/c.flac",
        "e,1,audio/c.flac,1,TOO,MANY",
        "",
        "a,1,audio/b.flac,1,AGAIN",
        "f,1,,1,WORDS",
        f"g,1,{'x' * 5000},1,WORDS",
        "h,1,a\0b,1,WORDS",
    )
    utterances, problems = read_split(data)
    assert [each.id for each in utterances] == ["a"]
    assert problems.counts.pop("missing audio") == 4
    assert problems.named["missing audio"][:2] == ["b: '$root/audio/none.flac'", "f: ''"]
    assert problems.lines() == [
        "damaged transcript: 2 (line 5 of train.csv has too many or too few cells (3, not 5); "
        "line 6 of train.csv has too many or too few cells (6, not 5))",
        "empty transcript: 1 (c)",
        "repeated id: 1 (a)",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has no column of audio files (such as 'wav', "),
        (
            b"ID,duration,wav,spk_id\n",
            "has no column of transcripts (such as 'wrd', 'text', 'transcript'; --set task.text=COLUMN names it); its "
            "columns are 'ID', 'duration', 'wav', 'spk_id'",
        ),
        (b"x;y\n", "has no column of audio files"),
        (HEADER.encode() + b"\na,1,x,\xff,y\n", "is not a table in UTF-8"),
        (
            HEADER.encode() + b"\na,1," + b"x" * 200_000 + b",1,y\n",
            "is not a table in UTF-8: field larger than",
        ),
        (HEADER.encode() + b"\n", "has no usable utterance: it is empty"),
    ],
    ids=["empty", "no text", "other", "bytes", "huge", "no row"],
)
def test_what_is_no_manifest_is_refused(data: Path, content: bytes, reason: str) -> None:
    (data / "train.csv").write_bytes(content)
    assert reason in refused(data)
