"""Evaluations and exports end by the first signal, as the steps of a training do."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.core.toy_searches import denas_here
from tests.warm import Process

from .test_resume import start_command
from .trainings import assert_same, last_checkpoint, make_plan, run, weights, write_points

ARCH = ["points/mlp", "--arch", '{"depth": 2, "width": 8}', "--device", "cpu"]
SLOW = {"DENAS_POINTS_SLOW": "2"}
"""Each batch of an evaluation takes two seconds, and there are 100 without training, and 40 of the command."""
LIMIT = 60
"""Seconds in which a process must end after its signal; these evaluations and the export take longer."""


def stop(process: Process, number: int) -> str:
    """Send one signal, and return what the process has printed."""
    process.send_signal(number)
    _, errors = process.communicate(timeout=LIMIT)
    return errors


def wait_for(path: Path, process: Process) -> None:
    deadline = time.monotonic() + 300
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[1]
        time.sleep(0.02)


@pytest.mark.slow
def test_an_evaluation_without_training_stops_at_once(tmp_path: Path) -> None:
    data = write_points(tmp_path / "points.txt", 800)
    out = tmp_path / "out"
    arguments = [*ARCH, "--data", str(data), "--epochs", "0", "--batch-size", "2", "--out", str(out)]
    begun = tmp_path / "begun"
    process = start_command("train", *arguments, DENAS_POINTS_PREDICTING=str(begun), **SLOW)
    wait_for(begun, process)
    errors = stop(process, signal.SIGTERM)
    assert process.returncode == 143, errors
    assert errors.splitlines()[-1] == (
        f"error: stopped in the evaluation; begin it again with: denas train {out} --resume"
    )
    assert not (out / "result.json").exists()


@pytest.mark.slow
def test_an_evaluation_of_a_training_stops_at_once_and_is_made_up_for(tmp_path: Path) -> None:
    data = write_points(tmp_path / "points.txt", 800)
    whole, out = tmp_path / "whole", tmp_path / "out"
    settings = {"epochs": 2, "batch_size": 20}
    arguments = [*ARCH, "--data", str(data), "--epochs", "2", "--batch-size", "20", "--out", str(out)]
    process = start_command("train", *arguments, "--set", "training.keep_checkpoints=true", **SLOW)
    wait_for(out / "events", process)
    # The log gets the losses of an epoch before the evaluation of the same epoch begins.
    wait_for(out / "log.jsonl", process)
    while '"loss"' not in (out / "log.jsonl").read_text():
        time.sleep(0.02)
    errors = stop(process, signal.SIGTERM)
    assert process.returncode == 143, errors
    assert errors.splitlines()[-1] == (
        f"error: stopped in the evaluation after step 30 of 60, which is kept; go on with: denas train {out} --resume"
    )
    assert last_checkpoint(out).name == "step-000000030"
    expected = run(make_plan(data, **settings), whole)  # type: ignore[arg-type]
    again = run(make_plan(data, **settings), out, resume=True)  # type: ignore[arg-type]
    assert again.progress.best == expected.progress.best
    assert_same(weights(out), weights(whole))
    first, second = (
        [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        for folder in (whole, out)
    )
    assert [row["step"] for row in first] == [row["step"] for row in second]
    assert [row.get("metrics") for row in first] == [row.get("metrics") for row in second]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_evaluate_command_stops_at_once(searched: Path, points: Path, number: int) -> None:
    trained = denas_here("train", str(searched), "--data", str(points), "--epochs", "0", "-q")
    assert trained.returncode == 0, trained.stderr
    begun = points.with_name("begun")
    arguments = (str(searched), "--data", str(points), "--batch-size", "1")
    process = start_command("evaluate", *arguments, DENAS_POINTS_PREDICTING=str(begun), **SLOW)
    wait_for(begun, process)
    errors = stop(process, number)
    assert (process.returncode, errors) == (128 + number, "error: stopped\n")


@pytest.mark.slow
def test_the_export_command_stops_at_once_and_leaves_nothing(searched: Path, points: Path) -> None:
    trained = denas_here("train", str(searched), "--data", str(points), "--epochs", "0", "-q")
    assert trained.returncode == 0, trained.stderr
    out = searched / "exported"
    command = ("export", str(searched), "--to", "torch-export", "--out", str(out))
    process = start_command(*command, DENAS_POINTS_FORWARD="60")
    deadline = time.monotonic() + 300
    while not list(searched.glob(".exported.*.partial")):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[1]
        time.sleep(0.02)
    errors = stop(process, signal.SIGTERM)
    assert (process.returncode, errors) == (143, "error: stopped\n")
    assert not out.exists() and not list(searched.glob(".exported.*"))
