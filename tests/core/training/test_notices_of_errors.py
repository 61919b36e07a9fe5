"""What a task says about the data is not lost when the work on the data fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.errors import ConfigError, NoResult
from tests.core.toy_searches import denas_here

from .trainings import make_plan, run

NOTICE = "3 of 3 points have no side"


@pytest.fixture
def sideless(tmp_path: Path) -> Path:
    path = tmp_path / "sideless.txt"
    path.write_text("0.1 0.2 -1\n0.3 0.1 -1\n0.5 0.5 -1\n")
    return path


def test_a_training_without_samples_says_why_there_are_none(sideless: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no sample to train on") as caught:
        run(make_plan(sideless, task={"skip": True}), tmp_path / "out")
    assert caught.value.notices == (NOTICE,)


def test_a_training_that_fails_later_says_what_was_left_out(points: Path, tmp_path: Path) -> None:
    points.write_text(points.read_text() + "\n0.1 0.2 -1")
    with pytest.raises(NoResult, match="the loss is") as caught:
        run(make_plan(points, task={"skip": True}, lr=1e30, clip=1e30), tmp_path / "out")
    assert caught.value.notices[0] == "1 of 161 points have no side"


def test_commands_print_notices_before_the_error(
    searched: Path, sideless: Path, points: Path, tmp_path: Path
) -> None:
    skip = ("--set", "task.skip=true")
    trained = denas_here("train", str(searched), "--data", str(sideless), *skip)
    assert trained.returncode == 2
    assert trained.stderr.splitlines() == [
        f"note: {NOTICE}",
        f"error: {str(sideless)!r} holds no sample to train on",
    ]
    scored = denas_here(
        *(
            "search",
            "points/mlp",
            "--score",
            "points/loss-gradient",
            "--data",
            str(sideless),
            "--budget",
            "2",
        ),
        *("--set", "data.task.skip=true", "--out", str(tmp_path / "scored")),
    )
    assert scored.returncode == 2
    assert scored.stderr.splitlines()[0] == f"note: {NOTICE}"
    assert "holds no sample to score with" in scored.stderr.splitlines()[1]
