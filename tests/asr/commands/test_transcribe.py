"""``denas transcribe`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_asr.data.utterances import read_split
from denas_asr.task.recordings import audio_files
from denas_asr.transcriber import PADDED_SECONDS, Transcriber
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError
from denas_core.models.trained import load_model
from tests.asr.speech_files import cut, write_audio
from tests.core.toy_searches import denas_here


def said(speech: Path) -> dict[str, str]:
    """Return what is said in the files that were learnt by heart."""
    utterances = read_split(speech, "train-example").utterances
    return {str(utterance.audio): utterance.text for utterance in utterances}


def lines(text: str) -> dict[str, str]:
    """Return the text of each file of an output."""
    found = [line.split("\t") for line in text.splitlines()]
    return {file: words for file, words in found}  # noqa: C416 - two, and no more


@pytest.mark.parametrize("decode", ["greedy", "beam", "joint"])
def test_a_line_for_each_file_in_the_order_they_were_named(trained: Path, speech: Path, decode: str) -> None:
    wanted = dict(reversed(said(speech).items()))
    done = denas_here("transcribe", str(trained), *wanted, "--decode", decode, "--batch-size", "4")
    assert done.returncode == 0 and done.stderr == ""
    assert list(lines(done.stdout).items()) == list(wanted.items())


def test_a_folder_stands_for_the_audio_in_it(trained: Path, speech: Path) -> None:
    done = denas_here("transcribe", str(trained), str(speech / "train-example"), "--json")
    document = json.loads(done.stdout)
    assert {row["file"]: row["text"] for row in document["transcripts"]} == said(speech)
    assert all(row["seconds"] > 0.5 for row in document["transcripts"])
    assert (document["schema"], document["decoding"]) == ("denas.transcripts/1", "greedy")
    assert document["left_out"] == []


def test_what_cannot_be_read_is_named_and_the_others_are_written(
    trained: Path, speech: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.flac").write_text("no audio")
    broken = cut(write_audio(tmp_path / "cut.flac", 2.0))
    first, *_ = wanted = said(speech)
    done = denas_here(
        "transcribe",
        str(trained),
        str(tmp_path / "none.wav"),
        first,
        str(tmp_path / "text.flac"),
        str(broken),
    )
    assert done.returncode == 2
    assert lines(done.stdout) == {first: wanted[first]}
    notices = done.stderr.splitlines()
    assert [
        name in line for name, line in zip(("none.wav", "text.flac", "cut.flac"), notices, strict=False)
    ] == [True] * 3
    assert notices[3] == "error: 3 of 4 files could not be read and were left out; their names are above"


def test_a_file_that_the_file_system_refuses_is_another_exit_code(trained: Path, tmp_path: Path) -> None:
    loop = tmp_path / "loop.wav"
    loop.symlink_to(loop)
    done = denas_here("transcribe", str(trained), str(loop), "--json")
    assert done.returncode == 6
    (row,) = json.loads(done.stdout)["left_out"]
    assert row["file"] == str(loop) and "cannot be read" in row["reason"]


def test_audio_shorter_than_a_frame_says_nothing(trained: Path, tmp_path: Path) -> None:
    short = write_audio(tmp_path / "short.wav", 0.01)
    done = denas_here("transcribe", str(trained), str(short))
    assert (done.returncode, done.stdout) == (0, f"{short}\t\n")


def test_what_else_lies_in_the_batch_changes_no_text(trained: Path, speech: Path, tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", 6.0)
    files = [Path(file) for file in said(speech)]
    transcriber = Transcriber(load_model(trained / "model"))
    together = {each.file: each.text for each in transcriber.transcripts([tmp_path / "a.wav", *files])}
    alone = {each.file: each.text for each in transcriber.transcripts(files, batch_size=1)}
    assert {file: together[file] for file in files} == alone


def test_long_files_do_not_go_through_the_network_together(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("denas_asr.transcriber.PADDED_SECONDS", 5.0)
    files = [write_audio(tmp_path / f"{place}.wav", seconds) for place, seconds in enumerate((1, 2, 2, 4, 6))]
    transcriber = Transcriber(load_model(trained / "model"))
    sizes = []
    encode = transcriber._network.encode
    transcriber._network.encode = lambda x, n: sizes.append(len(x)) or encode(x, n)  # type: ignore[method-assign]
    assert len(list(transcriber.transcripts(files))) == 5
    assert sizes == [2, 1, 1, 1] and PADDED_SECONDS > 5


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
    done = denas_here("transcribe", str(trained), str(speech), *arguments)
    assert done.returncode == code and text in done.stderr and done.stderr.count("\n") == 1


def test_a_folder_without_audio_and_a_model_of_something_else_are_refused(
    trained: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"has no audio; looked for \.flac, "):
        list(audio_files([tmp_path]))
    model = load_model(trained / "model")
    untrained = TrainedModel(space=model.space, arch=model.arch, network=model.network)
    with pytest.raises(ConfigError, match="trained for nothing, not for speech recognition"):
        Transcriber(untrained)
    done = denas_here("transcribe", str(tmp_path), "x.wav")
    assert done.returncode == 2 and "is neither a run nor a trained model" in done.stderr
