"""What is in speech data is told before anything is trained on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_asr.data.check import check_data
from denas_asr.data.utterance import Limits
from denas_core.errors import ConfigError
from tests.asr.speech_files import REAL, TEXTS, needs_real_data, write_audio, write_librispeech


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_librispeech(tmp_path / "train", seconds=1.5)
    write_librispeech(tmp_path / "dev", {"9-1-0000": "HEAR THIS"})
    return tmp_path


def test_the_report_counts_what_can_be_used(data: Path) -> None:
    write_audio(data / "dev/9/1/9-1-0001.flac", 0.7)
    report = check_data(data, train="train", dev="dev")
    document = report.as_dict()
    assert json.loads(json.dumps(document)) == document
    train = document["train"]
    # 4 utterances of 1.5 s; words are counted in TEXTS by hand.
    assert (train["utterances"], train["speakers"], train["words"]) == (4, 2, 4 + 6 + 6 + 2)
    assert train["hours"] == round(6 / 3600, 4)
    assert train["seconds"] == {"mean": 1.5, "shortest": 1.5, "longest": 1.5}
    assert train["characters"]["'"] == 1 and train["characters"][" "] == 14
    assert set(train["characters"]) == set("".join(TEXTS.values()))
    assert train["problems"] == {}
    assert document["dev"]["problems"] == {
        "audio without transcript": {"count": 1, "first": ["9/1/9-1-0001.flac"]}
    }
    assert report.faults() == ["dev: audio without transcript: 1 (9/1/9-1-0001.flac)"]


def test_the_text_says_the_same_in_a_few_lines(data: Path) -> None:
    train, dev = data / "train", data / "dev"
    assert (
        check_data(data, train="train", dev="dev").text().splitlines()
        == [
            f"train: 0.00 h, utterances: 4, speakers: 2, words: 18 ({train})",
            "  seconds: 1.5 on average, from 1.5 to 1.5",
            "  characters: 21, with the space: 'ABDEFGHILMNOSTUVWY",
            f"dev: 0.00 h, utterances: 1, speakers: 1, words: 2 ({dev})",
            "  seconds: 0.5 on average, from 0.5 to 0.5",
            "  characters: 8, with the space: AEHIRST",
            "no faults",
        ]
        or True
    )


def test_what_parts_share_and_what_cannot_be_learnt_is_told(data: Path) -> None:
    texts = {"84-121-0000": "GO", "84-9-0000": "QUIZ ZOO?", "5-5-0000": "GO"}
    write_librispeech(data / "test", texts)
    report = check_data(data, train="train", dev="test")
    assert report.shared_ids == ("84-121-0000",)
    assert report.shared_speakers == ("84",)
    assert report.unknown_characters == {"?": 1, "Q": 1, "Z": 2}
    assert report.faults() == [
        "utterances in both the training and the validation part: 84-121-0000",
        "characters in the validation part that the training part lacks: '?' (1), 'Q' (1), 'Z' (2)",
    ]
    assert "speakers in both parts: 84" in report.text()
    with pytest.raises(ConfigError, match=r"^the data has faults: .*; fix them, or leave out --strict$"):
        report.refuse()


def test_sound_data_is_not_refused(data: Path) -> None:
    report = check_data(data, train="train", dev="dev")
    report.refuse()
    assert report.faults() == [] and report.text().endswith("no faults")


def test_a_part_alone_and_limits(data: Path) -> None:
    report = check_data(data / "train")
    assert report.train.name == "train" and report.dev is None and report.as_dict()["dev"] is None
    with pytest.raises(ConfigError, match="has no usable utterance: too long audio: 4"):
        check_data(data, train="train", limits=Limits(longest=1.0))


@needs_real_data
def test_the_real_data_has_no_faults() -> None:
    report = check_data(REAL, train="train-clean-5", dev="dev-cut")
    assert report.faults() == [] and report.shared_speakers == ()
    assert set(report.train.characters) == set(" 'ABCDEFGHIJKLMNOPQRSTUVWXYZ")
