"""``denas train`` where a task or a space takes more than others: several tasks, a vocabulary, a pickle."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from denas_core.models.trained import load_model
from denas_core.runs.store import Store
from tests.core.toy_searches import denas_here


def test_several_tasks_are_listed(searched: Path, points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import denas_points.plugin

    both = {"side": "denas_points.task:Side", "other": "denas_points.task:Side"}
    monkeypatch.setattr(denas_points.plugin, "denas_tasks", _hook(lambda: both))
    done = denas_here("train", str(searched), "--data", str(points))
    assert done.returncode == 2
    assert "can be trained for points/other, points/side; choose with --task" in done.stderr
    monkeypatch.setattr(denas_points.plugin, "denas_tasks", _hook(dict))
    done = denas_here("train", str(searched), "--data", str(points))
    assert done.returncode == 2
    assert re.search("no installed (plugin has a task;|task fits 'points/mlp': )", done.stderr), done.stderr


def test_a_vocabulary_is_an_option_of_the_task_and_found_from_any_folder(
    searched: Path, points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import denas_points.plugin

    monkeypatch.setattr(
        denas_points.plugin, "denas_tasks", _hook(lambda: {"named": "denas_points.named:Named"})
    )
    (tmp_path / "names.txt").write_text("below above")
    monkeypatch.chdir(tmp_path)
    # A bare name will do.
    arguments = ["--task", "named", "--data", str(points), "--epochs", "1", "-q"]
    trained = denas_here("train", str(searched), *arguments, "--vocab", "names.txt")
    assert trained.returncode == 0, trained.stderr
    plan = json.loads((searched / "training" / "settings.json").read_text())
    assert plan["task"]["id"] == "points/named"
    assert plan["task"]["options"]["vocab"] == str(tmp_path / "names.txt")
    (searched / "training" / "result.json").unlink()
    monkeypatch.chdir("/")
    resumed = denas_here("train", str(searched), "--resume", "-q")
    assert resumed.returncode == 0, resumed.stderr
    (tmp_path / "names.txt").unlink()
    assert load_model(searched / "training" / "model").facts["names"] == ["below", "above"]
    assert denas_here("evaluate", str(searched), "--data", str(points)).returncode == 0


def test_a_pickle_is_allowed_where_a_space_is_named_and_for_the_training_of_a_run(
    points: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pickle = checkpoint.rename(tmp_path / "wide.bin")
    named = ["--set", f"space.checkpoint={pickle}"]
    run = ["--score", "points/size", "--budget", "4", "--device", "cpu", "-q", "--out", "run"]
    arch = ["--arch", '{"depth": 1, "width": 4}']
    for command in (
        ["search", "points/stored", *named, *run],
        ["score", "points/stored", *named, *arch, "--no-latency", "--set", "score=points/size"],
        ["latency", "points/stored", *named, *arch],
        ["show", "points/stored", *named],
        [
            "train",
            "points/stored",
            *named,
            *arch,
            "--data",
            str(points),
            "--epochs",
            "0",
            "--out",
            "model",
            "-q",
        ],
    ):
        refused = denas_here(*command)
        assert refused.returncode == 2 and "is a pickle; trust it with --allow-pickle" in refused.stderr
        allowed = denas_here(*command, "--allow-pickle")
        assert allowed.returncode == 0, allowed.stderr
    # A search that read no weights may not have allowed it yet.
    store = Store.open(Path("run/study.db"))
    header = store.header()
    header["config"]["space"]["allow_pickle"] = False
    store.set_header(header)
    store.close()
    command = ["train", "run", "--data", str(points), "--epochs", "0", "-q"]
    assert "is a pickle" in denas_here(*command).stderr
    allowed = denas_here(*command, "--allow-pickle")
    assert allowed.returncode == 0, allowed.stderr


def _hook(function: Any) -> Any:
    from denas_core import hookimpl

    def denas_tasks() -> Any:
        return function()

    return hookimpl(denas_tasks)
