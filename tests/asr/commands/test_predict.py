"""``denas predict`` on recordings: the same transcripts as ``denas transcribe``."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_asr.data.utterances import read_split
from denas_core import Predictor, Registry, load_model
from denas_core.models import export_model
from tests.core.toy_searches import denas_here


@pytest.mark.parametrize("decode", ["greedy", "joint"])
def test_recordings_are_transcribed(trained: Path, speech: Path, decode: str) -> None:
    folder = speech / "train-example"
    done = denas_here("predict", str(trained), str(folder), "--decode", decode, "--batch-size", "4")
    said = {str(each.audio): each.text for each in read_split(speech, "train-example").utterances}
    assert done.returncode == 0
    assert dict(line.split("\t") for line in done.stdout.splitlines()) == said


def test_an_export_is_decoded_greedily_and_in_no_other_way(
    trained: Path, speech: Path, tmp_path: Path
) -> None:
    model = load_model(trained / "model")
    done = export_model(Registry.discover().create("exporter", "torch-export"), model, tmp_path / "export")
    utterances = read_split(speech, "train-example").utterances[:2]
    found = Predictor.load(done.path)([each.audio for each in utterances])
    assert [each.answer and each.answer.text for each in found] == [each.text for each in utterances]
    refused = denas_here("predict", str(done.path), str(utterances[0].audio), "--decode", "joint")
    assert refused.returncode == 2 and "needs the trained network" in refused.stderr


def test_silence_of_no_length_is_left_out(trained: Path, tmp_path: Path) -> None:
    from tests.asr.speech_files import write_audio

    path = write_audio(tmp_path / "short.flac", 0.01)
    done = denas_here("predict", str(trained), str(path))
    assert done.returncode == 2 and "short.flac" in done.stderr
