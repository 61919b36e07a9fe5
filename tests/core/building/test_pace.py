"""How fast a training is, by its log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from denas_core.building.pace import Pace, pace_of_training
from tests.core.training.trainings import make_plan, run


def write(directory: Path, *rows: dict[str, Any]) -> Path:
    (directory / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return directory


def test_the_quickest_block_counts_because_other_work_can_only_slow_a_training_down(tmp_path: Path) -> None:
    metrics = {"accuracy": 0.5}
    found = pace_of_training(
        write(
            tmp_path,
            {"step": 50, "epoch": 0.5, "loss": 1.0, "seconds": 100.0},
            {"step": 100, "epoch": 1.0, "loss": 1.0, "seconds": 110.0},
            {"step": 100, "epoch": 1.0, "metrics": metrics, "seconds": 150.0},
            {"step": 150, "epoch": 1.5, "loss": 1.0, "seconds": 175.0},
            {"step": 200, "epoch": 2.0, "loss": 1.0, "seconds": 200.0},
            {"step": 200, "epoch": 2.0, "metrics": metrics, "seconds": 204.0},
            {"step": 202, "epoch": 2.02, "loss": 1.0, "seconds": 204.1},
        )
    )
    assert found == Pace(batch=0.2, steps=100, evaluation=4.0)
    assert found.epoch == pytest.approx(24.0)


def test_a_training_that_was_stopped_within_its_first_epoch_is_told_by_what_it_has_logged(
    tmp_path: Path,
) -> None:
    loss = {"step": 50, "epoch": 0.25, "loss": 1.0, "seconds": 10.0}
    assert pace_of_training(write(tmp_path, loss)) is None
    found = pace_of_training(
        write(tmp_path, loss, {"step": 50, "epoch": 0.25, "metrics": {"accuracy": 0.5}, "seconds": 11.0})
    )
    assert found == Pace(batch=0.2, steps=200, evaluation=1.0)
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"step": 60, "ep')
    assert pace_of_training(tmp_path) == found
    (tmp_path / "log.jsonl").unlink()
    assert pace_of_training(tmp_path) is None


def test_the_log_of_a_real_training_gives_its_steps(points: Path, tmp_path: Path) -> None:
    result = run(make_plan(points, epochs=3), tmp_path / "out")
    found = pace_of_training(tmp_path / "out")
    assert found is not None and found.steps == result.steps // 3
    assert 0 < 3 * found.epoch <= result.progress.seconds
