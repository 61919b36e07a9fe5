"""A training that is killed or stopped ends with the weights of one that was not."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from denas_core.errors import ConfigError
from tests import warm
from tests.core.toy_searches import denas_command, environment
from tests.warm import Process

from .trainings import PLUGIN, assert_same, last_checkpoint, make_plan, run, weights, write_points

# Dropout and batch normalisation: generators and buffers have to come back too.
SPACE = {"dropout": 0.2, "norm": "batch"}
SETTINGS = {"epochs": 10, "checkpoint_steps": 11, "task": {"mix": True}}
COMMAND = ["points/mlp", "--arch", '{"depth": 2, "width": 8}', "--device", "cpu", "--epochs", "10"]
COMMAND += [
    "--set",
    "space.dropout=0.2",
    "--set",
    "space.norm=batch",
    "--set",
    "training.checkpoint_steps=11",
]
COMMAND += ["--set", "task.mix=true", "--set", "training.keep_checkpoints=true"]


def start(*arguments: str) -> Process:
    """Start a training as a user would; each batch takes a while, so that it does not end before it is stopped."""
    return start_command("train", *arguments, DENAS_POINTS_PAUSE="0.1")


def start_command(*arguments: str, **variables: str) -> Process:
    """Start a command as a user would."""
    path = os.pathsep.join([str(PLUGIN), environment()["PYTHONPATH"]])
    return warm.start(denas_command(*arguments), env=environment(PYTHONPATH=path, **variables), trains=True)


def wait_for_checkpoint(process: Process, out: Path, *, after: str = "") -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        if any(path.name > after for path in (out / "checkpoints").glob("step-*")):
            return
        time.sleep(0.005)
    pytest.fail(f"no checkpoint came: {process.communicate()[1]}")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Compute on one thread, as started trainings do: with another number, sums are others in their last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_killed_and_a_stopped_training_end_as_if_nothing_had_happened(tmp_path: Path) -> None:
    data = write_points(tmp_path / "points.txt", 800)
    whole = run(make_plan(data, space=SPACE, **SETTINGS), tmp_path / "whole")  # type: ignore[arg-type]
    out = tmp_path / "killed"
    first = start(*COMMAND, "--data", str(data), "--out", str(out))
    wait_for_checkpoint(first, out)
    time.sleep(random.Random(0).uniform(0, 0.5))
    first.send_signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    first.communicate()
    killed_at = last_checkpoint(out).name

    second = start(str(out), "--resume")
    wait_for_checkpoint(second, out, after=killed_at)
    second.send_signal(signal.SIGINT)
    _, errors = second.communicate()
    assert second.returncode == 130, errors
    assert "going on after step" in errors
    assert f"which is kept; go on with: denas train {out} --resume" in errors.splitlines()[-1]
    assert last_checkpoint(out).name < last_checkpoint(tmp_path / "whole").name

    again = run(make_plan(data, space=SPACE, **SETTINGS), out, resume=True)  # type: ignore[arg-type]
    assert_same(weights(out), weights(tmp_path / "whole"))
    assert_same(
        weights(out / "model" / "model.safetensors"), weights(tmp_path / "whole/model/model.safetensors")
    )
    assert again.progress.best == whole.progress.best
    rows = [(tmp_path / name / "log.jsonl").read_text().count("\n") for name in ("whole", "killed")]
    assert rows[0] <= rows[1] <= rows[0] + 100  # each checkpoint logs, and none twice


def test_a_resume_goes_on_within_an_epoch_and_before_a_torn_checkpoint(points: Path, tmp_path: Path) -> None:
    settings = {"checkpoint_steps": 3, "epochs": 4, "space": SPACE}
    run(make_plan(points, **settings), tmp_path / "whole")  # type: ignore[arg-type]
    plan = make_plan(points, **settings)  # type: ignore[arg-type]
    run(plan, tmp_path / "out")
    (tmp_path / "out" / "result.json").unlink()
    last = last_checkpoint(tmp_path / "out")
    assert last.name == "step-000000028"
    (last / "weights.safetensors").write_bytes(b"torn")
    again = run(plan, tmp_path / "out", resume=True)
    assert again.notices == [
        "checkpoint step-000000028 is damaged (weights.safetensors is not what was written) and left out"
    ]
    assert_same(weights(tmp_path / "out"), weights(tmp_path / "whole"))


def test_a_training_without_a_checkpoint_begins_again(points: Path, tmp_path: Path) -> None:
    plan = make_plan(points, epochs=1)
    run(plan, tmp_path / "whole")
    run(plan, tmp_path / "out")
    (tmp_path / "out" / "result.json").unlink()
    for file in last_checkpoint(tmp_path / "out").iterdir():
        file.unlink()
    last_checkpoint(tmp_path / "out").rmdir()
    run(plan, tmp_path / "out", resume=True)
    assert_same(weights(tmp_path / "out"), weights(tmp_path / "whole"))


def test_a_training_that_was_killed_after_its_early_stop_is_over(points: Path, tmp_path: Path) -> None:
    plan = make_plan(points, epochs=9, metric_threshold=0.0)
    first = run(plan, tmp_path / "out")
    (tmp_path / "out" / "result.json").unlink()
    again = run(plan, tmp_path / "out", resume=True)
    assert again.as_dict() == first.as_dict()


def test_what_changes_weights_cannot_change_on_resume(points: Path, tmp_path: Path) -> None:
    run(make_plan(points, epochs=1), tmp_path / "out")
    with pytest.raises(ConfigError, match=r"cannot go on with settings\.lr: 0\.05 -> 0\.1; begin another"):
        run(make_plan(points, epochs=1, lr=0.1), tmp_path / "out", resume=True)
    run(make_plan(points, epochs=1, log_steps=7), tmp_path / "out", resume=True)


@pytest.mark.slow
def test_two_processes_agree_with_one(tmp_path: Path) -> None:
    data = write_points(tmp_path / "points.txt", 200)
    settings = {"epochs": 3, "batch_size": 20, "accumulate": 2, "checkpoint_steps": 4, "clip": 1.0}
    one = run(make_plan(data, **settings), tmp_path / "one")  # type: ignore[arg-type]
    arguments = ["points/mlp", "--arch", '{"depth": 2, "width": 8}', "--data", str(data), "--device", "cpu"]
    arguments += ["--out", str(tmp_path / "two"), "--epochs", "3", "--batch-size", "20"]
    for name, value in (
        ("accumulate", 2),
        ("checkpoint_steps", 4),
        ("clip", 1.0),
        ("keep_checkpoints", "true"),
    ):
        arguments += ["--set", f"training.{name}={value}"]
    path = os.pathsep.join([str(PLUGIN), environment()["PYTHONPATH"]])
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    process = subprocess.run(
        [*torchrun, "-m", "denas_core.cli", "train", *arguments],
        env=environment(PYTHONPATH=path),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.count("best model:") == 1
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, rtol=1e-4, atol=1e-5)
    assert (tmp_path / "two" / "result.json").exists()
    assert f"accuracy {one.progress.best['accuracy']:.4g}" in process.stdout
    assert sorted(path.name for path in last_checkpoint(tmp_path / "two").glob("random-*")) == [
        "random-0.safetensors",
        "random-1.safetensors",
    ]


def test_data_may_move_but_not_change_on_resume(points: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    whole = run(make_plan(points, epochs=2), tmp_path / "whole")
    run(make_plan(points, epochs=2), out)
    (out / "result.json").unlink()
    shutil.rmtree(last_checkpoint(out))
    before = (out / "settings.json").read_bytes()
    other = write_points(tmp_path / "other.txt", 80)
    with pytest.raises(
        ConfigError, match=r"cannot go on with '.*other.txt', which differs .* in samples; name"
    ):
        run(make_plan(other, epochs=2), out, resume=True)
    assert (out / "settings.json").read_bytes() == before, "the next resume finds its own data"

    moved = points.rename(tmp_path / "moved.txt")
    again = run(make_plan(moved, epochs=2), out, resume=True)
    assert again.progress.best == whole.progress.best
    assert_same(weights(out), weights(tmp_path / "whole"))


def test_an_option_that_is_newer_than_a_training_counts_as_its_default(points: Path, tmp_path: Path) -> None:
    plan = make_plan(points, epochs=2)
    run(plan, tmp_path / "whole")
    out = tmp_path / "out"
    run(plan, out)
    (out / "result.json").unlink()
    shutil.rmtree(last_checkpoint(out))
    stored = json.loads((out / "settings.json").read_text())
    for options, name in (
        (stored["settings"], "clip"),
        (stored["task"]["options"], "mix"),
        (stored["space"]["options"], "dropout"),
    ):
        del options[name]
    (out / "settings.json").write_text(json.dumps(stored))
    with pytest.raises(ConfigError, match=r"cannot go on with settings\.clip: 0\.0 -> 1\.0"):
        run(make_plan(points, epochs=2, clip=1.0), out, resume=True)
    run(plan, out, resume=True)
    assert_same(weights(out), weights(tmp_path / "whole"))
