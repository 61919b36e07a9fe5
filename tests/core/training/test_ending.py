"""The end of a training: its checkpoints go, also if a kill came in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from tests.core.toy_searches import denas_here

from .trainings import make_plan, run


def test_checkpoints_go_when_training_has_ended(points: Path, tmp_path: Path) -> None:
    run(make_plan(points, epochs=2, keep_checkpoints=False), tmp_path / "out")
    assert not (tmp_path / "out" / "checkpoints").exists()
    assert (tmp_path / "out" / "model" / "model.safetensors").exists()


def test_they_stay_if_the_settings_say_so(searched: Path, points: Path) -> None:
    train = ("train", str(searched), "--data", str(points), "--epochs", "1", "-q")
    done = denas_here(*train, "--set", "training.keep_checkpoints=true")
    assert done.returncode == 0, done.stderr
    assert len(list((searched / "training" / "checkpoints").glob("step-*"))) == 1
    # A resume may change its mind.
    again = denas_here("train", str(searched), "--resume", "--set", "training.keep_checkpoints=false", "-q")
    assert again.returncode == 0, again.stderr
    assert not (searched / "training" / "checkpoints").exists()


def test_they_go_with_the_next_resume_after_a_kill_between_result_and_removal(
    points: Path, tmp_path: Path
) -> None:
    ended = run(make_plan(points, epochs=1, keep_checkpoints=True), tmp_path / "out")
    (step,) = (tmp_path / "out" / "checkpoints").iterdir()
    (step / "manifest.json").unlink()  # removed in part
    again = run(make_plan(points, epochs=1, keep_checkpoints=False), tmp_path / "out", resume=True)
    assert again.as_dict() == ended.as_dict()
    assert not (tmp_path / "out" / "checkpoints").exists()


def test_a_training_that_was_killed_before_its_result_still_has_them(points: Path, tmp_path: Path) -> None:
    plan = make_plan(points, epochs=2, keep_checkpoints=False)
    run(make_plan(points, epochs=2, keep_checkpoints=True), tmp_path / "out")
    (tmp_path / "out" / "result.json").unlink()
    before = (tmp_path / "out" / "model" / "model.safetensors").read_bytes()
    again = run(plan, tmp_path / "out", resume=True)
    assert again.steps == 14
    assert (tmp_path / "out" / "model" / "model.safetensors").read_bytes() == before


def test_an_ended_training_says_why_it_cannot_go_on_for_more_epochs(points: Path, tmp_path: Path) -> None:
    run(make_plan(points, epochs=1, keep_checkpoints=False), tmp_path / "out")
    with pytest.raises(
        ConfigError,
        match=r"cannot go on with settings\.epochs: 1 -> 3 \(the learning rate of each step .*\); begin another",
    ):
        run(make_plan(points, epochs=3, keep_checkpoints=False), tmp_path / "out", resume=True)


def test_checkpoints_that_cannot_be_removed_are_a_notice(points: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(make_plan(points, epochs=1, keep_checkpoints=False), out)
    (out / "checkpoints").write_text("not a directory")
    again = run(make_plan(points, epochs=1, keep_checkpoints=False), out, resume=True)
    assert again.notices == [
        f"the checkpoints are not needed any more and cannot be removed: '{out / 'checkpoints'}': Not a directory"
    ]
