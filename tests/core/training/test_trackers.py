"""Trainings that log to trackers: their files have the rows of the log, also after a resume and in a race."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from denas_core.errors import Interrupted
from denas_core.training.observers import LOG
from tests.core.toy_searches import denas_here
from tests.core.tracking.logs import Curves, mlflow_runs, tensorboard_curves

from .trainings import assert_same, make_plan, run, weights

pytest.importorskip("tensorboard")


class Stopper:
    """An observer that sends a signal after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def started(self, **_: int) -> None: ...

    def stepped(self, step: int) -> None:
        if step == self.step:
            signal.raise_signal(signal.SIGINT)

    def logged(self, row: object) -> None: ...

    def finished(self) -> None: ...


def check_rows(curves: Curves, directory: Path) -> None:
    """Check that curves have the numbers of the log of a training."""
    rows = [json.loads(line) for line in (directory / LOG).read_text().splitlines()]
    for name in ("loss", "lr"):
        expected = [(row["step"], pytest.approx(row[name])) for row in rows if name in row]
        assert curves[f"train/{name}"] == expected and expected
    metrics = [(row["step"], row["metrics"]) for row in rows if "metrics" in row]
    for name in metrics[0][1]:
        assert curves[f"valid/{name}"] == [(step, pytest.approx(row[name])) for step, row in metrics]
    assert curves["epoch"][-1][1] == rows[-1]["epoch"]


def test_a_tracker_has_every_row_and_the_settings(points: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(make_plan(points, log_steps=2, trackers=["tensorboard"]), out)
    check_rows(tensorboard_curves(out / "events"), out)
    (written,) = out.glob("events/*/hparams.yml")
    assert "settings.epochs: 3" in written.read_text() and "points/mlp" in written.read_text()
    # One file has the curves: TensorBoard's own events are not written beside those of the tracker.
    assert len(list(out.glob("events/events.out.*"))) == 1


def test_a_training_that_was_stopped_goes_on_in_the_same_run(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    names = ["tensorboard", "mlflow"]
    out = tmp_path / "out"
    plan = make_plan(points, log_steps=1, trackers=names)
    with pytest.raises(Interrupted):
        run(plan, out, observers=[Stopper(4)])
    run(plan, out, resume=True)
    check_rows(tensorboard_curves(out / "events"), out)
    found = mlflow_runs(out / "trackers/mlflow", monkeypatch)
    assert list(found) == ["training"]
    check_rows(found["training"][1], out)


def test_the_weights_do_not_depend_on_trackers(points: Path, tmp_path: Path) -> None:
    for name, trackers in (("with", ["tensorboard"]), ("without", [])):
        run(make_plan(points, trackers=trackers), tmp_path / name)
    assert_same(weights(tmp_path / "with"), weights(tmp_path / "without"))


def test_the_trainings_of_a_race_and_of_the_run_are_runs_of_one_store(
    searched: Path, points: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    options = ["--data", str(points), "--device", "cpu", "-e", "1", "-q", "--tracker", "mlflow"]
    done = denas_here("train", str(searched), "--top", "2", *options)
    assert done.returncode == 0, done.stderr
    found = mlflow_runs(searched / "trackers/mlflow", monkeypatch)
    directories = {path.parent.relative_to(searched).as_posix() for path in searched.glob(f"race/*/*/{LOG}")}
    moved = {name for name in found if not (searched / name / LOG).is_file()}
    assert found.keys() - moved == directories and len(found) == 2
    for name in directories:
        check_rows(found[name][1], searched / name)


def test_an_option_names_a_tracker_and_a_missing_one_is_one_line(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["train", "points/mlp", "--arch", '{"depth": 1, "width": 4}', "--data", str(points)]
    arguments += ["--out", str(tmp_path / "out"), "--device", "cpu", "-e", "1", "-q"]
    done = denas_here(*arguments, "--tracker", "wandbe")
    assert done.returncode == 2 and "option 'trackers.0' of 'training'" in done.stderr
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "wandb" else find(name))
    done = denas_here(*arguments, "--tracker", "wandb")
    assert done.returncode == 2
    assert done.stderr == "error: tracker 'wandb' needs wandb: pip install 'denas-core[wandb]'\n"
    assert not (tmp_path / "out").exists()
