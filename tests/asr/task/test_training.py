"""Recognisers that learn: trained, stopped, gone on with, measured and decoded."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import denas_asr
from denas_asr.decoding import decode as decoding
from denas_asr.decoding.decode import read_language_model
from denas_core.errors import ConfigError, Interrupted
from denas_core.models.trained import load_model
from tests.asr.toy_recognition import OPTIONS, PARTS, toy_plan, toy_training, with_task
from tests.core.toy_searches import denas_here


def test_tones_are_learnt_by_heart_and_every_decoder_reads_them(trained: Path, speech: Path) -> None:
    for decode in ("greedy", "beam", "joint"):
        done = denas_here(
            "evaluate", str(trained), "--data", str(speech), "--split", "train-example", "--decode", decode,
            "--set", "task.beam=3", "--json",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        metrics = json.loads(done.stdout)["metrics"]
        assert metrics["wer"] < 0.05 and metrics["cer"] < 0.05, decode


def test_a_language_model_is_read_once_and_has_its_say(
    trained: Path, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kenlm")
    # It knows one word of the transcripts, and thinks little of all others.
    arpa = tmp_path / "words.arpa"
    arpa.write_text(
        "\\data\\\nngram 1=4\nngram 2=1\n\n"
        "\\1-grams:\n-9.0\t<unk>\t0\n-99\t<s>\t0\n-1.0\t</s>\n-0.1\tSTAR\t0\n\n"
        "\\2-grams:\n-0.5\t<s> STAR\n\n\\end\\\n"
    )
    reads = []
    monkeypatch.setattr(
        decoding, "read_language_model", lambda *given: reads.append(given) or read_language_model(*given)
    )
    arguments = [
        "evaluate",
        str(trained),
        "--data",
        str(speech),
        "--split",
        "train-example",
        "--decode",
        "beam",
    ]
    arguments += ["--lm", str(arpa), "--batch-size", "2", "--json"]
    weak = denas_here(*arguments, "--set", "task.lm_weight=0")
    assert weak.returncode == 0, weak.stderr
    assert json.loads(weak.stdout)["metrics"]["wer"] < 0.05 and len(reads) == 1
    strong = denas_here(*arguments, "--set", "task.lm_weight=20")
    assert json.loads(strong.stdout)["metrics"]["wer"] > 0.3


def test_the_learning_rate_begins_at_the_bottom_of_the_warm_up(trained: Path) -> None:
    rows = [json.loads(line) for line in (trained / "log.jsonl").read_text().splitlines()]
    rates = {row["step"]: row["lr"] for row in rows if "lr" in row}
    # One step an epoch, ten of them warm-up: n / 10, and then sqrt(10 / n).
    assert [rates[step] for step in (1, 10, 40)] == pytest.approx([5e-4, 5e-3, 2.5e-3])


def test_the_model_needs_neither_data_nor_vocabulary(trained: Path) -> None:
    network = denas_asr.load(trained)
    facts = load_model(trained / "model").facts
    assert facts["symbols"] == 3 + len(facts["vocabulary"]["characters"])
    encoded, lengths = network.encode(torch.zeros(2, 40, 20), torch.tensor([40, 13]))
    assert encoded.shape == (2, 10, 32) and lengths.tolist() == [10, 4]
    assert network.ctc(encoded).shape == (2, 10, facts["symbols"])
    assert network.decode(torch.tensor([[1, 5]] * 2), encoded, lengths).shape == (2, 2, facts["symbols"])


def test_a_resumed_training_ends_with_the_same_weights(speech: Path, tmp_path: Path) -> None:
    # Augmented, so that speeds and masks have to repeat, too.
    plan = toy_plan(speech, task=PARTS, epochs=4, batch_size=3, checkpoint_steps=1)
    toy_training(plan, tmp_path / "whole")

    class Stop:
        def __init__(self, step: int) -> None:
            self.step = step

        def started(self, **_: int) -> None: ...

        def stepped(self, step: int) -> None:
            if step == self.step:
                os.kill(os.getpid(), signal.SIGINT)

        def logged(self, row: object) -> None: ...

        def finished(self) -> None: ...

    with pytest.raises(Interrupted):
        toy_training(plan, tmp_path / "stopped", observers=[Stop(3)])
    toy_training(plan, tmp_path / "stopped", resume=True)
    first, second = (
        load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "stopped")
    )
    assert first.keys() == second.keys()
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_the_command_line_names_parts_and_vocabulary(speech: Path, tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    out = tmp_path / "named"
    arguments = ["train", "asr/transformer", "--arch", "(1, 2.0, 2, 32)", "--data", str(speech), "-q"]
    arguments += [
        "--train",
        "train-example",
        "--dev",
        "dev-same",
        "--vocab",
        "sentencepiece:9",
        "--epochs",
        "1",
    ]
    for name, value in OPTIONS.items():
        arguments += ["--set", f"space.{name}={json.dumps(value)}"]
    done = denas_here(*arguments, "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert load_model(out / "model").facts["symbols"] == 3 + 9
    options = json.loads((out / "settings.json").read_text())["task"]["options"]
    assert (options["train"], options["dev"], options["vocab"]) == (
        "train-example",
        "dev-same",
        "sentencepiece:9",
    )
    (out / "result.json").unlink()
    refused = denas_here("train", str(out), "--resume", "--dev", "dev-example", "-q")
    assert refused.returncode == 2 and "dev" in refused.stderr


def test_a_task_with_another_vocabulary_is_no_resume(trained: Path, speech: Path) -> None:
    plan = with_task(toy_plan(speech), vocab="sentencepiece:9")
    with pytest.raises(ConfigError, match="vocab"):
        toy_training(plan, trained, resume=True)


def test_the_first_loss_is_finite_for_an_utterance_that_is_too_short(speech: Path, tmp_path: Path) -> None:
    # Twice as fast, a letter has not 3 encoded frames but 1.5.
    plan = toy_plan(speech, task={**PARTS, "speed": [200]}, epochs=1)
    result = toy_training(plan, tmp_path / "fast")
    assert result.progress.best["loss"] < 100
