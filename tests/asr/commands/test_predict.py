"""``denas predict`` on recordings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from denas_asr.data.utterances import read_split
from denas_asr.task.recognition import SpeechRecognition
from denas_asr.task.recordings import audio_files
from denas_core import Predictor, Registry, load_model
from denas_core.errors import ConfigError
from denas_core.models import export_model
from tests.asr.speech_files import cut, write_audio
from tests.core.toy_searches import denas_here


def said(speech: Path) -> dict[str, str]:
    """Return the text of each file that the trained network has learnt by heart."""
    return {str(each.audio): each.text for each in read_split(speech, "train-example").utterances}


def lines(text: str) -> dict[str, str]:
    """Return the text of each file of an output."""
    return dict(line.split("\t") for line in text.splitlines())


@pytest.mark.parametrize("decode", ["greedy", "beam", "joint"])
def test_a_line_for_each_file_in_the_order_of_the_names(trained: Path, speech: Path, decode: str) -> None:
    wanted = dict(reversed(said(speech).items()))
    done = denas_here("predict", str(trained), *wanted, "--decode", decode, "--batch-size", "4")
    assert done.returncode == 0 and done.stderr == ""
    assert list(lines(done.stdout).items()) == list(wanted.items())


def test_a_folder_stands_for_the_audio_in_it(trained: Path, speech: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "linked").symlink_to(speech / "train-example")
    (folder / "._hidden.wav").write_bytes(b"leftover of an archive")
    (folder / "__MACOSX").mkdir()
    write_audio(folder / "__MACOSX" / "a.wav")
    done = denas_here("predict", str(trained), str(folder), "--json")
    document = json.loads(done.stdout)
    found = {Path(row["input"]).name: row["answer"] for row in document["predictions"]}
    assert found == {Path(name).name: text for name, text in said(speech).items()}


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


def test_files_that_cannot_be_read_are_named_and_the_others_are_answered(
    trained: Path, speech: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.flac").write_text("no audio")
    broken = cut(write_audio(tmp_path / "cut.flac", 2.0))
    short = write_audio(tmp_path / "short.flac", 0.01)
    first, *_ = wanted = said(speech)
    files = [tmp_path / "none.wav", first, tmp_path / "text.flac", broken, short]
    done = denas_here("predict", str(trained), *map(str, files))
    assert done.returncode == 2
    assert lines(done.stdout) == {first: wanted[first]}
    notices = done.stderr.splitlines()
    names = ("none.wav", "text.flac", "cut.flac", "short.flac")
    assert [name in line for name, line in zip(names, notices, strict=False)] == [True] * 4
    assert notices[4] == "error: 4 of the inputs could not be answered; see above"


def test_a_file_that_the_file_system_refuses_is_another_exit_code(trained: Path, tmp_path: Path) -> None:
    loop = tmp_path / "loop.wav"
    loop.symlink_to(loop)
    done = denas_here("predict", str(trained), str(loop), "--json")
    assert done.returncode == 6
    (row,) = json.loads(done.stdout)["predictions"]
    assert row["input"] == str(loop) and "cannot be read" in row["fault"]


def test_other_files_of_a_batch_change_no_text(trained: Path, speech: Path, tmp_path: Path) -> None:
    long = write_audio(tmp_path / "a.wav", 6.0)
    files = [Path(file) for file in said(speech)]
    _, *together = Predictor.load(trained)([long, *files])
    alone = Predictor.load(trained, batch_size=1)(files)
    assert [each.answer for each in together] == [each.answer for each in alone]


def test_long_files_do_not_go_through_the_network_together(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SpeechRecognition, "longest_batch", 5.0)
    files = [write_audio(tmp_path / f"{place}.wav", seconds) for place, seconds in enumerate((1, 2, 2, 4, 6))]
    sizes: list[int] = []
    predictor = Predictor.load(trained)
    forward = predictor._forward

    def counted(batch: Any) -> Any:
        sizes.append(len(batch.inputs["features"]))
        return forward(batch)

    predictor._forward = counted
    assert len(predictor(files)) == 5
    assert sizes == [2, 1, 1, 1]


def test_a_stream_is_answered_before_it_ends(trained: Path, speech: Path) -> None:
    file, text = next(iter(said(speech).items()))

    def endless() -> Any:
        while True:
            yield file, file

    stream = Predictor.load(trained, batch_size=2).stream(endless())
    assert [next(stream).answer.text for _ in range(5)] == [text] * 5  # type: ignore[union-attr]
    # The end of reading is no error of the task.
    stream.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (
            ["--decode", "best"],
            2,
            "option 'decoding' of 'asr/speech-recognition': should be 'greedy', 'beam' or",
        ),
        (["--lm", "words.arpa"], 2, "is not used by greedy decoding"),
        (["--decode", "beam", "--lm", "none.arpa"], 2, "none.arpa' does not exist; give a file of n-grams"),
        (["--set", "training.lr=1"], 2, "only keys of the task can be set here"),
        (["--set", "task.beems=1"], 2, "did you mean 'beam'?"),
        (["--device", "tpu"], 2, "device 'tpu' is not one of auto, cpu, cuda"),
    ],
)
def test_a_wrong_option_is_one_line(
    trained: Path, speech: Path, arguments: list[str], code: int, text: str
) -> None:
    done = denas_here("predict", str(trained), str(speech), *arguments)
    assert done.returncode == code and text in done.stderr and done.stderr.count("\n") == 1


def test_a_folder_without_audio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no audio; looked for \.flac, "):
        list(audio_files([tmp_path]))
