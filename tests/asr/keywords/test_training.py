"""Words are learnt, measured and told, as a user does it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy
import pytest
import soundfile

from denas_asr.keywords.space import Keywords
from denas_asr.keywords.task import KeywordSpotting
from denas_core.errors import ConfigError
from tests.asr.speech_files import cut, write_audio, write_librispeech
from tests.core.toy_searches import denas_here

from .clip_files import write_words

SPACE = Keywords(classes=2, mels=16, frames=48).named("asr/keywords")
TONES = {"high": 1600.0, "low": 400.0, "middle": 800.0}


def write_tones(root: Path, *, count: int = 12) -> Path:
    """Write words that are tones of different pitch, as wav files of half a second."""
    rng = random.Random(0)
    for word, hz in TONES.items():
        (root / word).mkdir(parents=True)
        for number in range(count):
            times = numpy.arange(8000) / 16_000
            wave = rng.uniform(0.1, 0.5) * numpy.sin(2 * numpy.pi * hz * rng.uniform(0.95, 1.05) * times)
            soundfile.write(root / word / f"s{number}_nohash_0.wav", wave, 16_000)
    write_audio(root / "_background_noise_" / "hum.wav", 20.0)
    return root


@pytest.mark.slow
def test_from_recordings_to_answers(tmp_path: Path) -> None:
    data = write_tones(tmp_path / "words")
    run, trained = tmp_path / "run", tmp_path / "run" / "trained"
    searched = denas_here(
        "search", "asr/keywords", "--set", "space.classes=3", "--set", "space.frames=48", "--set", "space.mels=16",
        "--budget", "6", "--constraint", "params<=60k", "--out", str(run), "--quiet",
    )  # fmt: skip
    assert searched.returncode == 0, searched.stderr
    done = denas_here(
        "train", str(run), "--data", str(data), "--epochs", "12", "--batch-size", "8", "--set", "training.lr=0.01",
        "--out", str(trained), "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    measured = denas_here("evaluate", str(trained), "--data", str(data), "--json")
    assert json.loads(measured.stdout)["metrics"]["accuracy"] >= 0.9, measured.stderr
    answered = denas_here("predict", str(trained), str(data / "low" / "s0_nohash_0.wav"), "--json")
    assert '"low"' in answered.stdout, answered.stderr


def test_named_words_come_first_and_others_are_unknown(tmp_path: Path) -> None:
    task = KeywordSpotting(words=["low", "high"]).named("asr/keyword-spotting")
    read = task.read(write_tones(tmp_path), SPACE)
    assert read.facts["labels"] == ["low", "high", "silence", "unknown"]
    again = task.read(tmp_path, SPACE, facts=read.facts)
    assert len(again.valid) == len(read.valid) == 4


def test_a_description_gives_what_a_search_needs(tmp_path: Path) -> None:
    task = KeywordSpotting().named("asr/keyword-spotting")
    found = task.describe(write_tones(tmp_path))
    assert found is not None
    assert found.labels == {"high": 12, "low": 12, "middle": 12}
    assert found.space_options == {"classes": 3, "frames": 48}
    assert found.spaces == ("asr/keywords",) and found.samples == {"train": 36}
    assert task.describe(write_librispeech(tmp_path / "LibriSpeech" / "train").parent) is None


def test_damaged_recordings_are_left_out_and_counted(tmp_path: Path) -> None:
    data = write_tones(tmp_path)
    cut(data / "low" / "s1_nohash_0.wav")
    (data / "high" / "s2_nohash_0.wav").write_bytes(b"")
    read = KeywordSpotting().named("asr/keyword-spotting").read(data, SPACE)
    assert read.train is not None and len(read.train) + len(read.valid) == 34
    text = "\n".join(read.notices)
    assert "leaves out empty audio: 1" in text and "undecodable audio: 1" in text


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train": ["yes"], "valid": ["yes"]}, "recordings of one word only, 'yes'"),
        ({"train": ["yes", "no"], "valid": ["yes", "noo"]}, "have the word 'noo', which is not among"),
        ({"valid": ["yes", "no"]}, r"no training recordings; put them into train/WORD/"),
        ({}, "has no recordings by word; looked for"),
    ],
)
def test_data_that_cannot_be_learnt_are_refused(
    tmp_path: Path, files: dict[str, list[str]], message: str
) -> None:
    for part, words in files.items():
        write_words(tmp_path / part, words, ["a.wav", "b.wav"])
    with pytest.raises(ConfigError, match=message):
        KeywordSpotting().named("asr/keyword-spotting").read(tmp_path, SPACE)


def test_an_error_keeps_what_was_not_read(tmp_path: Path) -> None:
    write_words(tmp_path / "train", ["yes"], ["a.wav", "b.wav"])
    write_words(tmp_path / "train", ["yes/.hidden"], ["c.wav"])
    with pytest.raises(ConfigError, match="one word only") as caught:
        KeywordSpotting().named("asr/keyword-spotting").read(tmp_path, SPACE)
    assert any("hidden file or folder" in notice for notice in caught.value.notices)
