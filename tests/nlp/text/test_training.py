"""Text tasks under the training engine: padded batches, a teacher, and evaluation without a file beside the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from denas_core.contracts.trained_model import TrainedModel
from denas_core.models.trained import load_model
from denas_core.registry.registry import Registry
from denas_core.training.evaluation import evaluate_network
from denas_core.training.plan import Plan
from denas_core.training.session import train
from denas_core.training.settings import make_settings

TINY = {"vocab_size": 32, "positions": 64, "head_size": 8, "layers": [1], "heads": [2], "intermediate": [16]}
SMALL: dict[str, Any] = {"max_length": 48, "query_length": 12}


def run(data: Path, directory: Path, name: str, *, options: Any = None, **settings: Any) -> TrainedModel:
    """Train a tiny BERT, and return its best model."""
    registry = Registry.discover()
    space = registry.create("space", "nlp/bert", TINY)
    task = registry.create("task", name, options)
    teacher = settings.pop("teacher", None)
    given = {"epochs": 4, "lr": 0.01, "batch_size": 8, **settings}
    plan = Plan(
        space=space,
        arch=space.full(),
        task=task,
        settings=make_settings(task.id, task.recipe, given),
        data=data,
        teacher=teacher,
        source="test",
    )
    train(plan, directory, registry=registry)
    return load_model(directory / "model")


def example(folder: Path, name: str, options: Any = None) -> Path:
    """Write the example of a task for tiny BERTs."""
    registry = Registry.discover()
    folder.mkdir()
    path: Path = registry.create("task", name, options).example(
        folder, registry.create("space", "nlp/bert", TINY)
    )
    return path


def loss_of(model: TrainedModel, data: Path, *, batch_size: int) -> dict[str, float]:
    """Evaluate a model as `denas evaluate` does."""
    task: Any = model.task
    valid = task.read(data, model.space, facts=model.facts).valid
    return evaluate_network(model.network, model.space, task, valid, batch_size=batch_size)


@pytest.mark.parametrize(("name", "options"), [("mrpc", None), ("stsb", None), ("squad", SMALL)])
def test_a_trained_model_is_measured_the_same_in_batches_of_any_size(
    tmp_path: Path, name: str, options: Any
) -> None:
    data = example(tmp_path / "data", name, options)
    model = run(data, tmp_path / "out", name, options=options)
    # The vocabulary is within the model.
    (data / "vocab.txt").unlink()
    found = [loss_of(model, data, batch_size=size) for size in (1, 3, 12)]
    # Scores of a network that has seen little are nearly equal, so that their ranks show every rounding.
    compared = ["loss"] if name == "stsb" else list(model.metrics)
    for metrics in found:
        for each in compared:
            assert metrics[each] == pytest.approx(model.metrics[each], abs=1e-3)


@pytest.mark.parametrize(
    ("name", "options"),
    [("stsb", None), ("squad", SMALL), pytest.param("rte", None, marks=pytest.mark.nightly)],
)
def test_a_teacher_alone_teaches_its_outputs(tmp_path: Path, name: str, options: Any) -> None:
    data = example(tmp_path / "data", name, options)
    teacher = run(data, tmp_path / "teacher", name, options=options)
    task: Any = teacher.task
    train_split = task.read(data, teacher.space).train
    batch, _ = task.collate([train_split.sample(index) for index in range(len(train_split))])

    def distance(model: TrainedModel) -> float:
        ours, theirs = (each.space.forward(each.network, batch) for each in (model, teacher))
        return task.imitation(ours, theirs, temperature=1.0).item()  # type: ignore[no-any-return]

    common = {"seed": 3, "teacher": tmp_path / "teacher" / "model", "distill_weight": 1.0}
    pupils = [
        run(data, tmp_path / f"pupil{epochs}", name, options=options, epochs=epochs, **common)
        for epochs in (0, 12)
    ]
    before, after = map(distance, pupils)
    assert 0 <= after < before / 2
    assert distance(teacher) == pytest.approx(0.0, abs=1e-6)
