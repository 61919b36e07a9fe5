"""``denas data check`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.asr.speech_files import REAL, needs_real_data, scratch, write_audio, write_librispeech
from tests.core.toy_searches import denas_here


def test_it_says_what_is_in_the_data(speech: Path) -> None:
    done = denas_here(
        "data", "check", "--asr", str(speech), "--train", "train-example", "--dev", "dev-example"
    )
    assert done.returncode == 0 and done.stderr == ""
    first = done.stdout.splitlines()[0]
    assert first.startswith("train-example: 0.00 h, utterances: 6, speakers: 1, words: 12 (")
    assert done.stdout.splitlines()[-1] == "no faults"


def test_faults_are_told_and_refused_only_if_strict(tmp_path: Path) -> None:
    write_librispeech(tmp_path / "train")
    write_librispeech(tmp_path / "dev", {"1-1-0000": "ÉTÉ"})
    scratch(tmp_path / "train" / "174" / "50" / "174-50-0000.flac")
    arguments = ["data", "check", "--asr", str(tmp_path), "--train", "train", "--dev", "dev"]
    lenient = denas_here(*arguments, "--json")
    assert lenient.returncode == 0
    document = json.loads(lenient.stdout)
    assert document["train"]["problems"]["undecodable audio"]["count"] == 1
    assert document["unknown_characters"] == {"É": 2}
    strict = denas_here(*arguments, "--strict")
    assert strict.returncode == 2
    assert "fault: train: undecodable audio: 1" in strict.stdout
    assert strict.stderr.startswith("error: the data has faults: ") and strict.stderr.count("\n") == 1


def test_parts_that_are_not_there_are_one_line(speech: Path, tmp_path: Path) -> None:
    missing = denas_here("data", "check", "--asr", str(speech), "--train", "train-exampel")
    assert missing.returncode == 2 and "did you mean 'train-example'?" in missing.stderr
    nowhere = denas_here("data", "check", "--asr", str(tmp_path / "nowhere"))
    assert nowhere.returncode == 2 and "there is no folder or manifest" in nowhere.stderr
    assert denas_here("data", "check").returncode == 2


@needs_real_data
def test_the_cut_of_librispeech_has_no_faults() -> None:
    done = denas_here(
        "data", "check", "--asr", str(REAL), "--train", "train-clean-5", "--dev", "dev-cut", "--strict"
    )
    assert done.returncode == 0, done.stderr
    assert "utterances: 189, speakers: 22, words: 3076" in done.stdout


def test_columns_and_parts_are_those_of_a_training(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", 1.0)
    write_audio(tmp_path / "b.wav", 1.0)
    (tmp_path / "train.csv").write_text("datei;satz;notiz\na.wav;GO;x y\nb.wav;STOP;x y\n")
    (tmp_path / "test.csv").write_text("datei;satz;notiz\na.wav;GO;x y\n")
    named = ["--set", "task.audio=datei", "--set", "task.text=satz"]
    done = denas_here("data", "check", "--asr", str(tmp_path), *named, "--set", "task.max_seconds=30")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("train: 0.00 h, utterances: 2, ")
    wrong = denas_here("data", "check", "--asr", str(tmp_path), "--set", "task.txt=satz")
    assert wrong.returncode == 2 and "did you mean 'text'?" in wrong.stderr
    described = denas_here("data", "describe", str(tmp_path), "--train", "test", *named)
    assert described.returncode == 0, described.stderr
    assert "samples   train 1" in described.stdout
    assert "--set task.train=test" in described.stdout
