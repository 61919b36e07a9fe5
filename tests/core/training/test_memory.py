"""A training that does not fit into memory is refused with the numbers before anything is written."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from denas_core.errors import Infeasible
from denas_core.training.memory import TrainingMemory, check_memory, training_memory
from denas_core.training.processes import VARIABLES
from tests.core.toy_searches import denas_here

from .trainings import make_plan, run

MEMORY = "denas_core.training.memory.memory_bytes"
LABELS = {"labels": ["above", "below"]}
# Two layers of 8 units on a point of the plane, and a head for two sides.
PARAMETERS = (2 * 8 + 8) + (8 * 8 + 8) + (8 * 2 + 2)
# The results of two layers, of the activations after them and of the head, and the point.
NUMBERS = 4 * 8 + 2 + 2


@pytest.mark.parametrize(
    ("settings", "copies"),
    [
        ({"optimizer": "adamw"}, 4),
        ({"optimizer": "sgd"}, 3),
        ({"optimizer": "sgd", "momentum": 0.0}, 2),
        ({"epochs": 0}, 1),
    ],
)
def test_weights_gradients_moments_and_a_batch_are_counted(
    settings: dict[str, Any], copies: int, points: Path
) -> None:
    found = training_memory(make_plan(points, **settings), LABELS, 10)
    assert found.weights == 4 * copies * PARAMETERS
    if settings.get("epochs") != 0:
        assert found.batch == 4 * 10 * NUMBERS


def test_bfloat16_halves_activations_and_not_inputs(points: Path) -> None:
    assert training_memory(make_plan(points, bf16=True), LABELS, 1) == TrainingMemory(
        16 * PARAMETERS, 2 * NUMBERS + 4
    )


def test_frozen_weights_have_neither_gradients_nor_moments(
    points: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(points)
    build = type(plan.space).build

    def frozen(*arguments: Any, **options: Any) -> Any:
        network = build(*arguments, **options)
        network[0].requires_grad_(False)
        return network

    monkeypatch.setattr(type(plan.space), "build", frozen)
    assert training_memory(plan, LABELS, 1).weights == 16 * PARAMETERS - 12 * (2 * 8 + 8)


def test_a_teacher_has_weights_and_the_activations_of_inference(points: Path, tmp_path: Path) -> None:
    run(make_plan(points, epochs=1), tmp_path / "teacher")
    plan = make_plan(points, teacher=tmp_path / "teacher" / "model")
    # A layer reads 8 numbers and writes 8.
    assert training_memory(plan, LABELS, 10) == TrainingMemory(
        16 * PARAMETERS, 4 * 10 * (NUMBERS + 16), 4 * PARAMETERS
    )
    text = (
        r"^this training takes about 8.936kB of memory, 1.824kB for weights, gradients and optimizer, 456B for the "
        r"weights of the teacher and 6.656kB for batches of 32 samples, and 8kB are there; lower --batch-size"
    )
    limited = dataclasses.replace(plan, settings=dataclasses.replace(plan.settings, memory_gb=8e-6))
    with pytest.raises(Infeasible, match=text):
        check_memory(limited, LABELS, 32)
    limited = dataclasses.replace(plan, settings=dataclasses.replace(plan.settings, memory_gb=2e-6))
    with pytest.raises(
        Infeasible, match="; choose a smaller architecture or a smaller teacher, or allow more"
    ):
        check_memory(limited, LABELS, 32)


def test_what_does_not_fit_is_refused_and_nothing_is_written(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MEMORY, lambda: 5000)
    text = (
        r"^this training takes about 6.432kB of memory, 1.824kB for weights, gradients and optimizer and 4.608kB for "
        r"batches of 32 samples, and 4kB are there; lower --batch-size \(training.accumulate gives the same updates "
        r"from smaller batches\), or allow more with training.memory_gb$"
    )
    with pytest.raises(Infeasible, match=text):
        run(make_plan(points, batch_size=32), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(MEMORY, lambda: 1000)
    with pytest.raises(Infeasible, match=r"800B are there; choose a smaller architecture, or allow more"):
        run(make_plan(points, batch_size=32), tmp_path / "out")


def test_the_user_may_allow_more_or_less(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Infeasible, match="and 1kB are there"):
        run(make_plan(points, memory_gb=1e-6), tmp_path / "out")
    monkeypatch.setattr(MEMORY, lambda: 1000)
    assert run(make_plan(points, memory_gb=1, epochs=1), tmp_path / "out").steps


def test_processes_of_one_machine_share_its_memory(points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MEMORY, lambda: 10_000)
    plan = make_plan(points)
    check_memory(plan, LABELS, 32)
    values = ("0", "2", "0", "2", "localhost", "29500")
    for name, value in zip(VARIABLES, values, strict=True):
        monkeypatch.setenv(name, value)
    # Each of the two processes has half of the batch, and all weights.
    text = (
        "^the 2 processes of this training take about 8.256kB of memory, 3.648kB .* 4.608kB for batches of 16"
    )
    with pytest.raises(Infeasible, match=text):
        check_memory(plan, LABELS, 32)


def test_memory_that_is_not_known_refuses_nothing(points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MEMORY, lambda: None)
    check_memory(make_plan(points), LABELS, 10**9)


def test_a_race_checks_its_largest_network_before_it_begins(
    searched: Path, points: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [
        "train",
        str(searched),
        "--top",
        "2",
        "--data",
        str(points),
        "--set",
        "training.memory_gb=1e-6",
    ]
    done = denas_here(*arguments, "-q")
    assert done.returncode == 7
    assert done.stderr.startswith("error: this training takes about ") and len(done.stderr.splitlines()) == 1
    assert not (searched / "race").exists()


def test_a_training_may_go_on_with_another_limit(points: Path, tmp_path: Path) -> None:
    plan = make_plan(points, epochs=1)
    run(plan, tmp_path / "out")
    settings = dataclasses.replace(plan.settings, memory_gb=2.0)
    assert run(dataclasses.replace(plan, settings=settings), tmp_path / "out", resume=True).steps
