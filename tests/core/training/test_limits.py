"""Limits of steps and of time: training ends cleanly, with the best model and a schedule that has ended."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from denas_core.errors import ConfigError
from denas_core.text import parse_seconds
from denas_core.training.schedule import count_steps, count_steps_per_epoch, learning_rate_factor
from denas_core.training.settings import TrainingSettings, make_settings
from tests.core.toy_searches import denas_here

from .trainings import make_plan, run


def rows(directory: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (directory / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30min", 1800),
        ("30m", 1800),
        ("1h", 3600),
        ("1h30min", 5400),
        ("1.5 h", 5400),
        ("1H 1s", 3601),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "h", "0s", "1d", "-5s", "1.2.3h", "30min1h", "soon"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as 90s, 30min, 1h or 1h30min"):
        parse_seconds(text)


def test_a_setting_that_is_no_duration_is_one_line() -> None:
    with pytest.raises(ConfigError, match="max_time '10' is not a duration"):
        make_settings("points/side", {}, {"max_time": "10"})


def test_steps_are_counted_as_the_engine_takes_them() -> None:
    settings = TrainingSettings(epochs=3, accumulate=2)
    assert count_steps_per_epoch(settings, samples=50, batch_size=10) == 3
    assert count_steps_per_epoch(settings, samples=9, batch_size=10) == 1
    assert count_steps(settings, 3) == 9
    assert count_steps(TrainingSettings(epochs=3, max_steps=5), 3) == 5
    assert count_steps(TrainingSettings(epochs=3, max_steps=50), 3) == 9


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_the_schedule_ends_when_the_time_does(schedule: str) -> None:
    settings = TrainingSettings(schedule=schedule, warmup=0.1)  # type: ignore[arg-type]

    def factor(step: int, share: float) -> float:
        return learning_rate_factor(settings, step, total=1000, steps_per_epoch=10, share=share)

    # A share of the time counts as that share of the steps.
    assert [factor(3, share) for share in (0.05, 0.55, 0.9)] == [factor(step, 0.0) for step in (50, 550, 900)]
    assert factor(3, 1.0) == pytest.approx(0.0, abs=1e-12)
    # The steps decide if they are ahead.
    assert factor(700, 0.2) == factor(700, 0.0)


def test_a_warm_up_that_the_time_has_ended_leaves_no_rate_above_the_highest() -> None:
    settings = TrainingSettings(schedule="noam", warmup=0.1)
    # After 5 of 1000 steps, half of the time is over: as much as after step 500, and not sqrt(100 / 6).
    half = learning_rate_factor(settings, 5, total=1000, steps_per_epoch=10, share=0.5)
    assert half == pytest.approx((100 / 501) ** 0.5)


def test_training_ends_after_the_steps_and_within_an_epoch(points: Path, tmp_path: Path) -> None:
    result = run(make_plan(points, epochs=5, max_steps=10, log_steps=1), tmp_path / "out")
    log = rows(tmp_path / "out")
    assert (result.steps, result.progress.stopped) == (10, "")
    # 7 steps are an epoch: the metrics are those after an epoch and after the last step.
    assert [row["step"] for row in log if "metrics" in row] == [7, 10]
    rates = [row["lr"] for row in log if "lr" in row]
    assert rates[-1] < 0.05 * max(rates)  # type: ignore[operator]
    assert (tmp_path / "out" / "model" / "model.safetensors").exists()


def test_steps_beyond_the_epochs_change_nothing(points: Path, tmp_path: Path) -> None:
    for name, limit in (("without", 0), ("with", 1000)):
        run(make_plan(points, epochs=2, max_steps=limit), tmp_path / name)
    one, other = (load_file(tmp_path / name / "model/model.safetensors") for name in ("without", "with"))
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_training_ends_when_its_time_is_over(points: Path, tmp_path: Path) -> None:
    # The first step of a process imports a part of torch, which may take longer than two seconds.
    run(make_plan(points, epochs=1), tmp_path / "before")
    began = time.monotonic()
    result = run(make_plan(points, epochs=1_000_000, max_time="2s", log_steps=1), tmp_path / "out")
    assert "its time of 2 s (training.max_time) is over" in result.progress.stopped
    assert time.monotonic() - began > 1
    assert result.progress.best and result.steps > 0
    last = [row for row in rows(tmp_path / "out") if "metrics" in row][-1]
    assert last["step"] == result.steps
    rates = [row["lr"] for row in rows(tmp_path / "out") if "lr" in row]
    assert rates[-1] < 0.2 * max(rates)  # type: ignore[operator]


def test_a_training_that_is_stopped_keeps_its_limits(searched: Path, points: Path) -> None:
    """A resumed training counts the steps and the time of its first part."""
    train = ("train", str(searched), "--data", str(points), "--epochs", "4", "-q")
    done = denas_here(*train, "--set", "training.max_steps=9", "--set", "training.keep_checkpoints=true")
    assert done.returncode == 0, done.stderr
    training = searched / "training"
    model = (training / "model" / "model.safetensors").read_bytes()
    (training / "result.json").unlink()
    for path in sorted((training / "checkpoints").iterdir())[1:]:
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    again = denas_here("train", str(searched), "--resume", "--json", "-q")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["steps"] == 9
    assert (training / "model" / "model.safetensors").read_bytes() == model


def test_training_says_at_once_what_it_reads_and_how_long_it_is(searched: Path, points: Path) -> None:
    out = searched / "limited"
    done = denas_here(
        "train",
        str(searched),
        "--data",
        str(points),
        "--epochs",
        "3",
        "--out",
        str(out),
        "--set",
        "training.max_steps=9",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0].startswith("data: ") and "samples to train on" in lines[0] and "to measure on" in lines[0]
    assert lines[1].startswith("training: 9 steps, 1.29 epochs in batches of ") and "on the CPU (" in lines[1]
    quiet = denas_here(
        "train", str(searched), "--data", str(points), "--epochs", "1", "--out", str(searched / "quiet"), "-q"
    )
    assert "data: " not in quiet.stderr
