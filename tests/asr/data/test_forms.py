"""Each form of speech data gives the same utterances."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from denas_asr.data.forms.columns import Columns
from denas_asr.data.layouts import part_names, place_of
from denas_asr.data.utterances import read_split
from denas_core.errors import ConfigError
from tests.asr.speech_files import write_audio

SAID = {"one": 'he said "go", twice; and left', "two": "été 3"}
"""Transcripts with the characters that end cells in some tables."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in SAID:
        write_audio(tmp_path / "data" / "clips" / f"{name}.wav")
    return tmp_path / "data"


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def write_comma(data: Path) -> Path:
    lines = ["file,transcription", *(f"clips/{id}.wav,{quoted(text)}" for id, text in SAID.items())]
    return write(data / "train.csv", lines)


def write_semicolon(data: Path) -> Path:
    lines = ["Audio-Path;Text", *(f"clips/{id}.wav;{quoted(text)}" for id, text in SAID.items())]
    return write(data / "train.csv", lines, encoding="utf-8-sig", end="\r\n")


def write_tab(data: Path) -> Path:
    lines = ["path\tduration\ttext", *(f"clips\\{id}.wav\t1\t{quoted(text)}" for id, text in SAID.items())]
    return write(data / "train.csv", lines, encoding="utf-16")


def write_common_voice(data: Path) -> Path:
    for path in (data / "clips").iterdir():
        path.rename(path.with_suffix(".mp3"))
    lines = [
        "client_id\tpath\tsentence\tup_votes",
        *(f"ab\t{id}.mp3\t{text}\t2" for id, text in SAID.items()),
    ]
    (data / "reported.tsv").write_text("sentence\treason\nx\ty\n")
    return write(data / "train.tsv", lines)


def write_nemo(data: Path) -> Path:
    rows = [{"audio_filepath": f"clips/{id}.wav", "duration": 9, "text": text} for id, text in SAID.items()]
    return write(data / "train.jsonl", [json.dumps(row) for row in rows])


def write_json_list(data: Path) -> Path:
    rows = [{"audio": {"path": f"clips/{id}.wav"}, "sentence": text} for id, text in SAID.items()]
    return write(data / "train.json", [json.dumps(rows, indent=1)])


def write_compressed(data: Path) -> Path:
    path = write_nemo(data)
    # The name does not say that the content is compressed.
    path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def write_ljspeech(data: Path) -> Path:
    (data / "clips").rename(data / "wavs")
    return write(data / "metadata.csv", [f"{id}|spoken as {id}|{text}" for id, text in SAID.items()])


def write_list(data: Path) -> Path:
    return write(data / "train.txt", [f"clips/{id}.wav\u3000{text}" for id, text in SAID.items()])


def write_kaldi(data: Path) -> Path:
    folder = data / "train"
    write(folder / "wav.scp", [f"{id}\tclips/{id}.wav" for id in SAID])
    return write(folder / "text", [f"{id}  {text} " for id, text in SAID.items()]).parent


def write_texts_beside(data: Path) -> Path:
    (data / "clips").rename(data / "train")
    for id, text in SAID.items():
        write(data / "train" / f"{id}.txt", [text])
    return data / "train"


def write_dataset_folder(data: Path) -> Path:
    (data / "clips").rename(data / "train")
    lines = ["file_name,transcription", *(f"{id}.wav,{quoted(text)}" for id, text in SAID.items())]
    return write(data / "train" / "metadata.csv", lines).parent


def write(path: Path, lines: list[str], *, encoding: str = "utf-8", end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(end.join([*lines, ""]).encode(encoding))
    return path


FORMS = [
    *(write_comma, write_semicolon, write_tab, write_common_voice, write_nemo, write_json_list),
    *(write_compressed, write_ljspeech, write_list, write_kaldi, write_texts_beside, write_dataset_folder),
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__.removeprefix("write_"))
def test_every_form_gives_the_same_utterances(data: Path, form: Callable[[Path], Path]) -> None:
    place = form(data)
    (name,) = part_names(data, Columns())
    assert name in ("train", "metadata")
    for given, part in ((data, None), (data, name), (place, None)):
        utterances, problems = read_split(given, part)
        assert {each.audio.stem: each.text for each in utterances} == SAID
        assert [each.seconds for each in utterances] == [0.5, 0.5]
        assert not len(problems)
    assert place_of(data, None, Columns()).form_name(Columns())


def test_utterances_may_be_parts_of_a_recording(tmp_path: Path) -> None:
    write_audio(tmp_path / "long.wav", 3.0)
    write(tmp_path / "a.csv", ["path,start,end,text", "long.wav,0,1,A", "long.wav,1.5,2,B", "long.wav,2,1,C"])
    rows = [
        {"audio_filepath": "long.wav", "offset": at, "duration": lasts, "text": text}
        for at, lasts, text in ((0, 1, "A"), (1.5, 0.5, "B"), (9, 1, "D"))
    ]
    write(tmp_path / "b.jsonl", [json.dumps(row) for row in rows])
    kaldi = tmp_path / "c"
    write(kaldi / "wav.scp", ["rec ../long.wav"])
    write(kaldi / "segments", ["u1 rec 0 1", "u2 rec 1.5 2", "u3 rec 2.5 -1", "u4 rec x y"])
    write(kaldi / "text", ["u1 A", "u2 B", "u3 C", "u4 D", "u5 E"])
    write(kaldi / "utt2spk", ["u1 s1", "u2 s2"])
    for part, faults in (("a", ["impossible segment: 1"]), ("b", ["impossible segment: 1"]), ("c", [])):
        utterances, problems = read_split(tmp_path, part)
        assert [(each.start, each.seconds, each.text) for each in utterances[:2]] == [
            (0, 1, "A"),
            (1.5, 0.5, "B"),
        ]
        assert all(fault in " ".join(problems.lines()) for fault in faults)
    assert [(each.speaker, each.seconds) for each in utterances] == [("s1", 1.0), ("s2", 0.5), ("", 0.5)]
    assert problems.lines() == [
        "transcript without audio: 2 (u4; u5)",
        "impossible segment: 1 (u4: 'rec x y')",
    ]


def test_features_are_those_of_the_part_of_the_recording(tmp_path: Path) -> None:
    from denas_asr.data.features import FeatureReader

    write_audio(tmp_path / "long.wav", 3.0)
    write(tmp_path / "a.csv", ["path,start,end,text", "long.wav,0,1,A", "long.wav,1.5,2,B"])
    reader = FeatureReader()
    assert [len(reader.read(each)) for each in read_split(tmp_path).utterances] == [98, 48]


def test_commands_of_kaldi_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_audio(tmp_path / "train" / "a.wav")
    monkeypatch.chdir(tmp_path)
    trap = Path("trap")
    write(tmp_path / "train" / "wav.scp", ["a a.wav", f"b touch {trap} |", "c x.ark:12"])
    write(tmp_path / "train" / "text", ["a A", "b B", "c C"])
    utterances, problems = read_split(tmp_path)
    assert [each.id for each in utterances] == ["a"] and not trap.exists()
    assert problems.lines() == [
        "missing audio: 1 (c: 'x.ark:12' is in an archive of Kaldi)",
        f"command instead of audio: 1 (b: 'touch {trap} |' is not run; write its output to a file)",
    ]
    (tmp_path / "train" / "wav.scp").write_text("b cat b.wav |\n")
    with pytest.raises(
        ConfigError, match=r"no usable utterance: .*command instead of audio: 1 \(b: 'cat b.wav"
    ):
        read_split(tmp_path)


def test_columns_may_be_named(data: Path) -> None:
    write(data / "train.csv", ["a,b,text", "one,hello,wrong", "two,world,wrong"])
    columns = Columns(audio="a", text="B")
    assert [each.text for each in read_split(data, columns=columns).utterances] == ["hello", "world"]
    with pytest.raises(ConfigError, match=r"has no column 'c'; its columns are 'a', 'b', 'text'"):
        read_split(data, "train", columns=Columns(audio="a", text="c"))


def test_faults_of_json_lines_are_counted(data: Path) -> None:
    lines = [
        '{"path": "one", "text": "A"}',
        '{"path": "two"',
        '{"path": "two"}',
        "[]",
        '{"path": 3, "text": 4}',
    ]
    utterances, problems = read_split(write(data / "train.jsonl", lines))
    assert [each.text for each in utterances] == ["A"]
    assert problems.counts == {"damaged transcript": 3, "missing audio": 1}
    assert "line 3 of train.jsonl has no 'text'" in problems.named["damaged transcript"]
    with pytest.raises(ConfigError, match="has no column of audio files"):
        read_split(write(data / "other.jsonl", ['{"text": "A"}']))


def test_other_files_of_a_folder_are_no_parts(data: Path) -> None:
    write_comma(data)
    write(data / "README.txt", ["the recordings | and their texts"])
    write(data / "stats.csv", ["name,hours", "train,1"])
    write(data / ".hidden.csv", ["path,text"])
    assert part_names(data, Columns()) == ["train"]
