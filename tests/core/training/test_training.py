"""A training from its plan to its result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from denas_core.errors import ConfigError, Infeasible, NoResult, PluginError
from denas_core.models.trained import load_model
from denas_core.training.checkpoint import checkpoints

from .trainings import assert_same, last_checkpoint, make_plan, run, weights


@pytest.mark.numerics
def test_a_training_learns_and_keeps_its_best_model(points: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(make_plan(points, epochs=12), out)
    assert (
        result.progress.best["accuracy"] > 0.65
    )  # 0.8 and more with five seeds; one answer for all gives 0.53
    assert result.steps == 12 * 7  # 120 points, of which a batch of 16 leaves 8 out
    model = load_model(out / "model")
    assert model.metrics == result.progress.best
    assert model.facts == {"labels": [0, 1]}
    assert model.history["epoch"] == result.progress.best_epoch
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows if "metrics" in row] == list(range(1, 13))
    best = max(row["metrics"]["accuracy"] for row in rows if "metrics" in row)
    assert best == result.progress.best["accuracy"]
    assert list((out / "events").glob("events*"))
    assert len(checkpoints(out / "checkpoints")) == 2
    assert not [path for path in out.rglob("*") if path.suffix in (".pt", ".pth", ".bin", ".pkl")]


def test_the_same_plan_gives_the_same_weights_and_another_seed_others(points: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run(make_plan(points, seed=seed, epochs=1), tmp_path / name)
    assert_same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    first, other = weights(tmp_path / "a"), weights(tmp_path / "c")
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_processes_that_read_change_nothing(points: Path, tmp_path: Path) -> None:
    run(make_plan(points, epochs=2, workers=0), tmp_path / "none")
    run(make_plan(points, epochs=2, workers=2), tmp_path / "two")
    assert_same(weights(tmp_path / "none"), weights(tmp_path / "two"))


@pytest.mark.numerics
def test_accumulated_batches_are_one_larger_batch(points: Path, tmp_path: Path) -> None:
    # In fixed order without augmentation; 120 points are 15 batches of 8, and the last step takes what is left.
    common = {"shuffle": False, "epochs": 1, "optimizer": "sgd", "task": {"jitter": 0.0}}
    run(make_plan(points, batch_size=40, **common), tmp_path / "one")
    run(make_plan(points, batch_size=8, accumulate=5, **common), tmp_path / "five")
    one, five = weights(tmp_path / "one"), weights(tmp_path / "five")
    for name in one:
        torch.testing.assert_close(one[name], five[name], rtol=1e-5, atol=1e-6)


def test_training_stops_at_the_threshold(points: Path, tmp_path: Path) -> None:
    result = run(make_plan(points, epochs=50, metric_threshold=0.75), tmp_path / "out")
    assert "threshold 0.75" in result.progress.stopped
    assert result.steps < 50 * 7
    assert result.progress.metrics["accuracy"] >= 0.75


@pytest.mark.numerics
def test_training_stops_when_nothing_gets_better(points: Path, tmp_path: Path) -> None:
    # A step of this size is lost in the rounding of every weight, so that all evaluations measure the same network.
    result = run(make_plan(points, epochs=50, lr=1e-30, patience=2), tmp_path / "out")
    assert result.progress.stopped == "no better accuracy in 2 evaluations"
    assert result.steps == 3 * 7


def test_evaluations_within_an_epoch_stop_it_there(points: Path, tmp_path: Path) -> None:
    result = run(make_plan(points, epochs=9, eval_steps=2, metric_threshold=0.0), tmp_path / "out")
    assert result.steps == 2
    assert last_checkpoint(tmp_path / "out").name == "step-000000002"


def test_no_epoch_keeps_the_fresh_network(points: Path, tmp_path: Path) -> None:
    plan = make_plan(points, epochs=0)
    result = run(plan, tmp_path / "out")
    assert result.steps == 0 and result.progress.best_epoch == 0
    assert 0 <= result.progress.best["accuracy"] <= 1
    assert load_model(tmp_path / "out" / "model").metrics == result.progress.best


def test_fewer_samples_than_a_batch_are_one_batch(points: Path, tmp_path: Path) -> None:
    result = run(make_plan(points, batch_size=1000, epochs=2), tmp_path / "out")
    assert result.steps == 2
    assert result.notices == ["there are only 120 samples to train on: a batch has 120, not 1000"]


def test_a_lost_loss_is_one_line_and_keeps_the_last_checkpoint(points: Path, tmp_path: Path) -> None:
    with pytest.raises(NoResult, match=r"the loss is nan after step 14; lower training.lr"):
        run(make_plan(points, space={"fault": "nan"}), tmp_path / "out")
    (path,) = checkpoints(tmp_path / "out" / "checkpoints")
    assert path.name == "step-000000007"
    assert all(tensor.isfinite().all() for tensor in weights(tmp_path / "out").values())


def test_no_memory_is_one_line_with_the_batch_size(points: Path, tmp_path: Path) -> None:
    with pytest.raises(Infeasible, match="out of memory with batches of 16; lower --batch-size"):
        run(make_plan(points, space={"fault": "memory"}), tmp_path / "out")


def test_a_fault_of_a_plugin_names_it(points: Path, tmp_path: Path) -> None:
    with pytest.raises(
        PluginError, match=r"training 'points/mlp' for 'points/side' failed: ZeroDivisionError"
    ):
        run(make_plan(points, space={"fault": "error"}), tmp_path / "out")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_sample_is_one_line_whoever_reads_it(points: Path, tmp_path: Path, workers: int) -> None:
    points.write_text(points.read_text() + "\n0.5 0.5 -1\n0.5 0.5 -1")
    with pytest.raises(ConfigError, match=r"^point \d+ has no side; give it one$"):
        run(make_plan(points, workers=workers), tmp_path / "out")


def test_bfloat16_trains(points: Path, tmp_path: Path) -> None:
    run(make_plan(points, epochs=1, bf16=True), tmp_path / "half")
    run(make_plan(points, epochs=1), tmp_path / "full")
    half, full = weights(tmp_path / "half"), weights(tmp_path / "full")
    assert all(tensor.dtype == torch.float32 for tensor in half.values())
    assert not torch.equal(half["0.weight"], full["0.weight"])
    torch.testing.assert_close(half["0.weight"], full["0.weight"], rtol=0.1, atol=0.1)


def test_a_directory_with_something_else_is_left_alone(points: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="exists and is not empty; name another place with --out"):
        run(make_plan(points), tmp_path)


def test_a_finished_training_says_so(points: Path, tmp_path: Path) -> None:
    plan = make_plan(points, epochs=1)
    done = run(plan, tmp_path / "out")
    with pytest.raises(ConfigError, match=r"holds a finished training \(accuracy 0\.\d+ after epoch 1\)"):
        run(plan, tmp_path / "out")
    assert run(plan, tmp_path / "out", resume=True).as_dict() == done.as_dict()
