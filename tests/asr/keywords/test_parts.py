"""Clips are divided by speaker, and other words and silence become classes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from denas_asr.keywords.clips import Clip, ClipData
from denas_asr.keywords.parts import choose_words, duplicates, held_out, noise_clips
from denas_core.errors import ConfigError
from tests.asr.speech_files import write_audio


def clips(word: str, speakers: int, each: int = 2) -> list[Clip]:
    return [
        Clip(f"/data/{word}/s{speaker}_nohash_{number}.wav", word)
        for speaker in range(speakers)
        for number in range(each)
    ]


def test_a_speaker_is_in_one_part_with_all_words() -> None:
    data = held_out(ClipData(train=[*clips("yes", 20), *clips("no", 20)]), 0.1)

    def speakers(part: list[Clip]) -> set[str]:
        return {clip.audio.split("/")[-1].split("_")[0] for clip in part}

    assert len(data.valid) == 8 and len(data.train) == 72
    assert not speakers(list(data.train)) & speakers(list(data.valid))
    assert len(speakers(list(data.valid))) == 2


def test_each_word_keeps_clips_in_both_parts() -> None:
    data = held_out(ClipData(train=[*clips("yes", 2, 1), *clips("no", 3, 1)]), 0.5)
    for part in (data.train, data.valid):
        assert {clip.label for clip in part} == {"yes", "no"}
    with pytest.raises(ConfigError, match="'no' has 5 recordings of one speaker"):
        held_out(ClipData(train=[*clips("yes", 2), *clips("no", 1, 5)]), 0.1)


def test_other_words_are_unknown_and_as_many_as_a_named_one(tmp_path: Path) -> None:
    noise = write_audio(tmp_path / "noise.wav", 20.0)
    data = ClipData(
        train=[clip for word in ("yes", "no", "bed", "cat", "dog") for clip in clips(word, 5)],
        noise=[str(noise)],
    )
    chosen = choose_words(data, ["yes", "no"], with_silence=True, seconds=1.0)
    assert Counter(clip.label for clip in chosen.train) == {"yes": 10, "no": 10, "unknown": 10, "silence": 10}
    without = choose_words(data, ["yes", "no"], with_silence=False, seconds=1.0)
    assert Counter(clip.label for clip in without.train) == {"yes": 10, "no": 10, "unknown": 10}
    assert choose_words(data, [], with_silence=True, seconds=1.0) is data
    with pytest.raises(ConfigError, match=r"no word .yess.*yes"):
        choose_words(data, ["yess"], with_silence=True, seconds=1.0)


def test_noise_that_is_trained_on_is_from_another_time(tmp_path: Path) -> None:
    files = [str(write_audio(tmp_path / "long.wav", 10.0)), str(write_audio(tmp_path / "short.wav", 0.5))]
    train = noise_clips(files, 5, seconds=1.0, to_train=True)
    valid = noise_clips(files, 3, seconds=1.0, to_train=False)
    assert [clip.start for clip in train] == [0.0, 1.75, 3.5, 5.25, 7.0]
    assert [clip.start for clip in valid] == [8.0, 8.5, 9.0]
    assert {clip.audio for clip in (*train, *valid)} == {files[0]}
    assert noise_clips(files[1:], 5, seconds=1.0, to_train=True) == []


def test_files_that_are_in_two_parts_are_said() -> None:
    data = ClipData(train=clips("yes", 2), valid=clips("yes", 1), test=clips("no", 1))
    assert duplicates(data) == ["2 file names are in several parts, such as 's0_nohash_0.wav'"]
    assert duplicates(ClipData(train=clips("yes", 2), valid=clips("no", 2))) == []
