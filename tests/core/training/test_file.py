"""``denas train --config``: a training from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.core.toy_searches import denas_here

TRAINING: dict[str, Any] = {
    "space": {"name": "points/mlp", "norm": "batch"},
    "arch": '{"depth": 1, "width": 4}',
    "task": {"name": "points/side", "jitter": 0.5},
    "training": {"epochs": 1, "lr": 0.25},
    "device": "cpu",
}


@pytest.fixture
def file(tmp_path: Path, points: Path) -> Path:
    path = tmp_path / "training.yaml"
    path.write_text(json.dumps({**TRAINING, "data": str(points)}))
    return path


def trained(directory: Path, *arguments: str) -> dict[str, Any]:
    """Train, and return the plan that was kept."""
    done = denas_here("train", *arguments, "-q")
    assert done.returncode == 0, done.stderr
    plan: dict[str, Any] = json.loads((directory / "settings.json").read_text())
    return plan


def test_a_file_says_all_of_a_training(file: Path, points: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    plan = trained(out, "--config", str(file), "--out", str(out))
    assert plan["space"]["options"]["norm"] == "batch" and plan["arch"] == {"depth": 1, "width": 4}
    assert plan["task"]["options"]["jitter"] == 0.5 and plan["data"] == str(points)
    assert (plan["settings"]["epochs"], plan["settings"]["lr"], plan["device"]) == (1, 0.25, "cpu")


def test_options_beat_the_file(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = ("--lr", "0.5", "--set", "task.jitter=0", "--set", "space.norm=none", "--task", "side")
    plan = trained(out, "--config", str(file), "--out", str(out), *given)
    assert plan["settings"]["lr"] == 0.5 and plan["task"]["options"]["jitter"] == 0
    assert plan["space"]["options"]["norm"] == "none"


def test_a_run_takes_the_place_of_the_space_and_the_architecture(searched: Path, file: Path) -> None:
    plan = trained(searched / "training", str(searched), "--config", str(file))
    assert plan["arch"] == json.loads((searched / "best.json").read_text())
    assert plan["space"]["options"]["norm"] != "batch" and plan["settings"]["lr"] == 0.25


@pytest.mark.parametrize(
    ("change", "arguments", "text"),
    [
        ({"trainings": {}}, [], "has no key 'trainings' (training.yaml); did you mean 'training'?"),
        ({"space": None}, [], "name a run or a space, or a --config with a space"),
        ({"arch": None}, [], "a training of one also needs --arch"),
        ({"data": None}, [], "name one with --data"),
        ({"training": {"lrs": 1}}, [], "'training' has no option 'lrs'"),
        ({"device": "gpu"}, [], "'device'"),
        ({}, ["--resume"], "--resume takes a RUN"),
    ],
)
def test_a_wrong_file_is_one_line(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    arguments: list[str],
    text: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    done = denas_here("train", "--config", file.name, "--out", "out", *arguments)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert text in done.stderr
    assert not (tmp_path / "out").exists()
