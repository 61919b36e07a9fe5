"""Searches that log to trackers: what their files contain, how a resume goes on, and what fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from denas_core.errors import ConfigError
from denas_core.launch import resume, resume_search, run_search, search
from denas_core.registry.registry import Registry
from denas_core.runs.files import read_run
from denas_core.runs.removal import remove_runs
from denas_core.tracking.opening import OpenTracker
from tests.core.toy_searches import denas_here, environment, table, toy_config

from .logs import mlflow_runs, tensorboard_curves, trackio_curves


def tracked(out: Path, *names: str, **changes: Any) -> Any:
    """Search the toy space, and log to trackers."""
    config = toy_config(out, budget=6, executor="builtin/serial", search={"trackers": list(names)}, **changes)
    return run_search(config, Registry.discover())


def check_curves(curves: dict[str, list[tuple[int, float]]], run: Path) -> None:
    """Check that curves have the values that the store of a run has."""
    with read_run(run) as store:
        trials = store.trials()
    scored = [trial for trial in trials if trial.is_scored]
    for name in ("params", "flops"):
        expected = [(trial.index + 1, trial.evaluation.metrics[name]) for trial in scored]
        assert curves[f"candidate/{name}"] == [(step, pytest.approx(value)) for step, value in expected]
    expected = [(trial.index + 1, trial.evaluation.components["height"]) for trial in scored]
    assert curves["component/height"] == [(step, pytest.approx(value)) for step, value in expected]
    assert [step for step, _ in curves["best/score"]] == [step for step, _ in expected]
    found = json.loads((run / "best.json").read_text())
    (best,) = [trial for trial in scored if trial.arch.as_dict() == found]
    assert curves["best/trial"][-1][1] == best.index
    assert curves["best/params"][-1][1] == pytest.approx(best.evaluation.metrics["params"])
    assert curves["trials/scored"][-1] == (len(trials), len(scored))


def test_tensorboard_shows_each_candidate_and_goes_on_after_a_resume(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run = tmp_path / "run"
    tracked(run, "tensorboard")
    check_curves(tensorboard_curves(run / "events"), run)
    hyperparameters = list((run / "events").glob("*/hparams.yml"))
    assert "space.name: toy/stairs" in hyperparameters[0].read_text()
    resume(run, budget=10)
    check_curves(tensorboard_curves(run / "events"), run)
    assert list((run / "events").glob("*/hparams.yml")) == hyperparameters


def test_mlflow_keeps_one_run_of_a_search_that_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    run = tmp_path / "run"
    tracked(run, "mlflow")
    resume(run, budget=10)
    found = mlflow_runs(run / "trackers/mlflow", monkeypatch)
    assert list(found) == ["search"]
    parameters, curves = found["search"]
    assert parameters["space.name"] == "toy/stairs" and parameters["seed"] == "0"
    check_curves(curves, run)


def test_trackio_keeps_one_run_of_a_search_that_is_resumed(tmp_path: Path) -> None:
    pytest.importorskip("trackio")
    run = tmp_path / "run"
    code = "from denas_core.cli import main; main()"
    options = [
        "--score",
        "toy/both",
        "-b",
        "6",
        "--device",
        "cpu",
        "--executor",
        "serial",
        "-q",
        "--json",
        "--tracker",
        "trackio",
    ]
    for arguments in (["toy/stairs", *options, "-o", str(run)], ["--resume", str(run), "-b", "10", "-q"]):
        # A process has one folder for Trackio.
        done = subprocess.run(
            [sys.executable, "-c", code, "search", *arguments],
            env=environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and "Trackio" not in done.stdout, done.stderr
    check_curves(trackio_curves(run / "trackers/trackio"), run)


def test_wandb_writes_offline_files_of_one_run(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    run = tmp_path / "run"
    tracked(run, "wandb")
    resume(run, budget=10)
    identity = json.loads((run / "trackers.json").read_text())["wandb"]["id"]
    files = sorted(run.glob(f"trackers/wandb/offline-run-*/run-{identity}.wandb"))
    assert len(files) == 2
    assert b"toy/stairs" in files[0].read_bytes()
    assert all(b"component/height" in file.read_bytes() for file in files)


def test_a_search_finds_the_same_with_and_without_trackers(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    tracked(tmp_path / "with", "tensorboard")
    tracked(tmp_path / "without")
    assert table(tmp_path / "with") == table(tmp_path / "without")
    assert "trackers" not in (tmp_path / "without/config.yaml").read_text()
    assert not {path.name for path in (tmp_path / "without").iterdir()} & {"trackers.json", "events"}


def test_the_trackers_of_a_run_may_change_when_it_is_resumed(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run = tmp_path / "run"
    tracked(run)
    done = denas_here("search", "--resume", str(run), "-b", "8", "--tracker", "tensorboard", "-q")
    assert done.returncode == 0, done.stderr
    steps = [step for step, _ in tensorboard_curves(run / "events")["trials/scored"]]
    assert len(steps) == 2 and min(steps) > 6


def test_a_tracker_that_is_missing_or_unknown_is_one_line_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = ["-o", str(tmp_path / "run")]
    done = denas_here("search", "toy/stairs", "--score", "toy/both", "--tracker", "mlflo", *out)
    assert done.returncode == 2 and "search.trackers.0" in done.stderr and "'mlflow'" in done.stderr
    assert done.stderr.count("\n") == 1
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r"tracker 'mlflow' needs .*mlflow: pip install 'denas-core\[mlflow\]'$"
    ):
        search("toy/stairs", score="toy/both", trackers=["mlflow"], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_tracker_that_fails_is_left_out_with_one_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard")
    log = OpenTracker.log

    def fail_later(self: OpenTracker, values: Any, *, step: int) -> None:
        if step > 2:
            raise OSError("the disk is full")
        log(self, values, step=step)

    monkeypatch.setattr(OpenTracker, "log", fail_later)
    result = tracked(tmp_path / "run", "tensorboard")
    assert result.counts["scored"] == 6
    failures = [notice for notice in result.notices if "tensorboard" in notice]
    assert failures == [
        "tracker 'tensorboard' failed and is left out from here on: OSError: the disk is full"
    ]
    assert [step for step, _ in tensorboard_curves(tmp_path / "run/events")["trials/scored"]] == [1, 2]


def test_a_tracker_that_cannot_start_is_left_out(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run = tmp_path / "run"
    tracked(run)
    (run / "events").write_text("not a folder")
    result = resume_with(run, "tensorboard")
    assert sum("tracker 'tensorboard' failed" in notice for notice in result.notices) == 1


def resume_with(run: Path, *names: str) -> Any:
    """Resume a run with other trackers."""
    changed = {"budget": 8, "search": {"trackers": list(names)}}
    return resume_search(run, lambda stored: {**stored, **changed})


def test_a_search_leaves_no_state_of_accelerate_behind(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from accelerate import PartialState

    before = dict(PartialState._shared_state)
    tracked(tmp_path / "run", "tensorboard")
    assert PartialState._shared_state == before


def test_a_removed_run_leaves_nothing_of_its_trackers(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run = tmp_path / "run"
    tracked(run, "tensorboard")
    (run / "trackers/wandb/logs").mkdir(parents=True)
    (run / "trackers/wandb/logs/debug.log").write_text("")
    (run / "trackers/wandb/latest-run").symlink_to("gone")
    remove_runs([run])
    assert not run.exists()


@pytest.mark.parametrize("names", [(), ("tensorboard",)])
def test_accelerate_is_imported_only_for_a_tracker(names: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        pytest.importorskip(name)
    code = "import sys; from denas_core import search; "
    code += f"search('toy/stairs', score='toy/both', budget=3, device='cpu', trackers={names!r}, out='run'); "
    code += "print('accelerate' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert done.stdout.strip() == str(bool(names)), done.stderr
