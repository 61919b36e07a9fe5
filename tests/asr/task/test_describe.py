"""What speech data contain is found before a training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_asr.task.recognition import SpeechRecognition
from denas_core.errors import ConfigError
from tests.asr.speech_files import REAL, needs_real_data, write_audio, write_librispeech

TASK = SpeechRecognition()


def write_table(folder: Path, name: str, texts: dict[str, str], header: str = "path,text") -> Path:
    for file in texts:
        if file.endswith((".wav", ".flac")):
            write_audio(folder / file, 1.0)
    path = folder / name
    path.write_text("\n".join([header, *(f"{file},{text}" for file, text in texts.items())]))
    return path


def test_hours_lengths_and_characters_are_found(tmp_path: Path) -> None:
    write_librispeech(tmp_path / "train", {"1-1-0000": "AB A", "2-1-0000": "C", "2-1-0001": ""}, seconds=1.0)
    write_librispeech(tmp_path / "dev", {"3-1-0000": "AC"}, seconds=2.0)
    write_librispeech(tmp_path / "test", {"4-1-0000": "AD"}, seconds=2.0)
    write_librispeech(tmp_path / "other", {"5-1-0000": "AD"}, seconds=2.0)
    found = TASK.describe(tmp_path)
    assert found is not None
    assert found.format == "folders as those of LibriSpeech"
    assert found.samples == {"train": 2, "valid": 1, "test": 1}
    assert found.facts == {
        "hours": "train 0.00, valid 0.00, test 0.00",
        "lengths": "1.5 s on average, from 1.0 to 2.0 s",
        "sample rates": "16000 Hz",
        "channels": "1",
        "speakers": "4",
        "characters": "4: ' ABC'",
        "vocabulary": "char, 7 symbols",
    }
    assert found.space_options == {"vocabulary": 7}
    assert found.spaces[0] == "asr/transformer:micro"
    assert found.notices == [
        f"{str(tmp_path / 'train')!r} leaves out empty transcript: 1 (2-1-0001)",
        "the parts other are not needed for a training",
    ]
    assert json.dumps(found.facts)


def test_texts_that_are_too_long_for_their_audio_are_named(tmp_path: Path) -> None:
    write_table(tmp_path, "train.csv", {"a.wav": "SHORT", "b.wav": "A VERY LONG TEXT FOR ONE SECOND " * 3})
    found = TASK.describe(tmp_path)
    assert found is not None
    assert found.notices == [
        "1 of 2 utterances of 'train' have a longer transcript than their audio can hold (b.wav)",
        "there is no part for validation: 10% of the training part are used for it (task.valid_share)",
    ]


def test_only_some_headers_of_large_data_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("denas_asr.task.describe.LOOKED_AT", 3)
    data = write_table(tmp_path, "train.csv", {f"{number}.wav": f"TEXT {number}" for number in range(10)})
    found = TASK.describe(data)
    assert found is not None and found.samples == {"train": 10}
    assert found.notices[0] == "the lengths of 'train' are those of 3 of its 10 recordings"


def test_data_of_another_kind_are_not_described(tmp_path: Path) -> None:
    assert TASK.describe(tmp_path) is None and TASK.describe(tmp_path / "nowhere") is None
    (tmp_path / "reviews.csv").write_text("text,label\ngreat,1\n")
    assert TASK.describe(tmp_path) is None and TASK.describe(tmp_path / "reviews.csv") is None
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "a.jpg").write_bytes(b"\xff\xd8\xff")
    assert TASK.describe(write_table(pictures, "captions.csv", {"a.jpg": "a cat"})) is None
    assert TASK.describe(write_table(pictures, "captions.csv", {"none.jpg": "a cat"})) is None
    # One label for each recording, and no transcript.
    write_audio(tmp_path / "commands" / "yes" / "a.wav")
    assert TASK.describe(tmp_path / "commands") is None
    # Speech Commands has lists of files without transcripts.
    (tmp_path / "commands" / "testing_list.txt").write_text("yes/a.wav\n")
    assert TASK.describe(tmp_path / "commands") is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"none.mp3": "A"}, "has no usable utterance: missing audio: 1 (none.mp3: 'none.mp3')"),
        ({"a.wav": "", "b.wav": ""}, "has no usable utterance: empty transcript: 2 (a.wav; b.wav)"),
        ({"a.wav": "SAME", "b.wav": "SAME", "c.wav": "SAME"}, "training transcripts in"),
    ],
)
def test_data_that_a_training_would_refuse_are_refused(
    tmp_path: Path, texts: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        TASK.describe(write_table(tmp_path, "train.csv", texts))
    assert message in str(caught.value)


def test_the_size_of_the_vocabulary_follows_the_option(tmp_path: Path) -> None:
    data = write_table(tmp_path, "train.csv", {"a.wav": "SHORT", "b.wav": "TEXT"})
    found = SpeechRecognition(vocab="sentencepiece:100").describe(data)
    assert found is not None and found.space_options == {"vocabulary": 103}


@needs_real_data
def test_real_speech_is_described() -> None:
    found = SpeechRecognition(dev="dev-cut").describe(REAL.parent)
    assert found is not None
    assert found.samples == {"train": 189, "valid": 35, "test": 4}
    assert found.facts["hours"].startswith("train 0.32, valid 0.05, test ")
    assert found.facts["characters"] == '28: " \'ABCDEFGHIJKLMNOPQRSTUVWXYZ"'


def test_a_table_in_another_encoding_is_refused_with_the_reason(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav")
    (tmp_path / "train.csv").write_bytes("path;text\na.wav;GEH SCHÖN WEITER\n".encode("latin-1"))
    for data in (tmp_path, tmp_path / "train.csv"):
        with pytest.raises(ConfigError, match=r"is not a table in UTF-8: line 2 .*0xd6"):
            SpeechRecognition().describe(data)


def test_a_table_of_recordings_with_words_is_none_of_transcripts(tmp_path: Path) -> None:
    for name in "abc":
        write_audio(tmp_path / f"{name}.wav")
    (tmp_path / "labels.csv").write_text("filename,category\na.wav,yes\nb.wav,no\nc.wav,yes\n")
    assert SpeechRecognition().describe(tmp_path) is None
    assert SpeechRecognition().describe(tmp_path / "labels.csv") is None
