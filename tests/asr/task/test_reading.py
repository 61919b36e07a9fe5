"""What a training reads from data without a validation part, and from data from which nothing can be learnt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile

from denas_asr.task.held_out import set_aside
from denas_core.contracts.task import TaskData
from denas_core.errors import ConfigError
from tests.asr.speech_files import write_audio, write_librispeech
from tests.asr.toy_recognition import toy_space, toy_task

pytestmark = pytest.mark.numerics


def read(data: Path, *, facts: dict[str, Any] | None = None, **options: Any) -> TaskData[Any]:
    return toy_task(**options).read(data, toy_space(), facts=facts)


def write_manifest(folder: Path, texts: list[str], name: str = "train.csv") -> Path:
    rows = ["path,text"]
    for number, text in enumerate(texts):
        write_audio(folder / f"{name}-{number}.wav", 1.0 + 0.01 * number)
        rows.append(f"{name}-{number}.wav,{text}")
    (folder / name).write_text("\n".join(rows), encoding="utf-8")
    return folder


def test_a_share_is_set_aside_if_there_is_no_part_to_validate_on(tmp_path: Path) -> None:
    data = write_manifest(tmp_path, [f"TEXT {number}" for number in range(10)])
    found = read(data, valid_share=0.2)
    assert (len(found.train), len(found.valid)) == (8, 2)
    assert found.notices[0] == (
        "the data have no part for validation: 2 of 10 utterances, always the same ones, are used for validation "
        "(task.valid_share)"
    )
    held_out = {each.id for each in found.valid.utterances}
    assert held_out.isdisjoint(each.id for each in found.train.utterances)
    # An evaluation on the same data measures only what was not learnt.
    facts = json.loads(json.dumps(found.facts))
    again = read(data / "train.csv", facts=facts)
    assert {each.id for each in again.valid.utterances} == held_out
    assert "2 of 10 utterances" in again.notices[0]
    other = write_manifest(tmp_path / "other", ["NEW", "DATA"], "test.csv")
    assert len(read(other, facts=facts).valid) == 2


def test_segments_of_a_recording_stay_together(tmp_path: Path) -> None:
    for name in "ab":
        write_audio(tmp_path / f"{name}.wav", 3.0)
    rows = [f"{name}.wav,{at},{at + 1},{name} {at}" for name in "ab" for at in range(3)]
    (tmp_path / "train.csv").write_text("\n".join(["path,start,end,text", *rows]))
    found = read(tmp_path)
    assert {each.audio.name for each in found.train.utterances}.isdisjoint(
        each.audio.name for each in found.valid.utterances
    )
    alone = found.train.utterances
    learnt, measured = set_aside(alone, 0.1)
    assert (len(learnt), len(measured)) == (2, 1)
    with pytest.raises(ConfigError, match="only one utterance"):
        set_aside(alone[:1], 0.1)


def test_recordings_in_both_parts_are_named(tmp_path: Path) -> None:
    write_manifest(tmp_path, ["ONE", "TWO", "THREE"])
    soundfile.write(tmp_path / "copy.flac", *soundfile.read(tmp_path / "train.csv-1.wav"))
    rows = ["path,text", "copy.flac,TWO", "train.csv-2.wav,THREE"]
    (tmp_path / "dev.csv").write_text("\n".join(rows))
    assert read(tmp_path).notices[0] == (
        "2 of 2 validation utterances are recordings of the training part too (copy.flac, train.csv-2.wav): error "
        "rates on them do not show what was learnt"
    )


def test_transcripts_that_are_all_equal_are_refused(tmp_path: Path) -> None:
    data = write_manifest(tmp_path, ["HELLO"] * 4)
    with pytest.raises(
        ConfigError, match=r"all 3 training transcripts in .* are 'HELLO', so there is nothing"
    ):
        read(data)


def test_silence_is_left_out(tmp_path: Path) -> None:
    data = write_manifest(tmp_path, ["ONE", "TWO", "THREE"])
    soundfile.write(data / "train.csv-0.wav", numpy.zeros(16000), 16000)
    found = read(data)
    assert len(found.train) + len(found.valid) == 2
    assert found.notices[0].endswith("leaves out silent audio: 1 (train.csv-0.wav)")


def test_what_was_left_out_is_told_with_the_error_that_follows(tmp_path: Path) -> None:
    write_librispeech(tmp_path / "train", {"1-1-0000": "ONE", "1-1-0001": "", "1-1-0002": "TWO"})
    with pytest.raises(ConfigError, match="does not suit the training transcripts") as caught:
        read(tmp_path, vocab="sentencepiece:9999")
    assert any("empty transcript: 1 (1-1-0001)" in notice for notice in caught.value.notices)
    write_librispeech(tmp_path / "dev", {"2-1-0000": ""})
    with pytest.raises(ConfigError, match="dev' has no usable utterance") as caught:
        read(tmp_path)
    assert any("empty transcript: 1 (1-1-0001)" in notice for notice in caught.value.notices)
