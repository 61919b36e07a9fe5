"""Learning from a teacher."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch

from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError
from denas_core.models.trained import load_model, save_model
from denas_core.training.settings import TrainingSettings
from denas_core.training.teacher import Teacher
from denas_core.values.batch import Batch, Outputs

from .trainings import assert_same, make_plan, run, weights


@pytest.fixture
def teacher(points: Path, tmp_path: Path) -> TrainedModel:
    run(make_plan(points, epochs=4), tmp_path / "teacher")
    return load_model(tmp_path / "teacher" / "model")


def loss_of(
    teacher: TrainedModel, outputs: Outputs, batch: Batch, *, temperature: float = 1.0
) -> torch.Tensor:
    """Return the loss of a network that learns from the teacher alone."""
    settings = TrainingSettings(distill_weight=1.0, distill_temperature=temperature)
    return Teacher(teacher, settings).loss(outputs, batch, of_labels=torch.tensor(math.pi))


def test_the_loss_is_the_divergence_at_a_temperature(teacher: TrainedModel) -> None:
    batch = Batch(inputs={"x": torch.tensor([[0.3, -0.2], [0.1, 0.9]])})
    ours = torch.tensor([[1.0, -1.0], [0.5, 0.25]])
    with torch.no_grad():
        theirs = teacher.network(batch.inputs["x"])
    expected = 0.0
    for row, taught in zip(ours.tolist(), theirs.tolist(), strict=True):
        q = [math.exp(x / 3) for x in row]
        p = [math.exp(x / 3) for x in taught]
        expected += sum(
            a / sum(p) * (math.log(a / sum(p)) - math.log(b / sum(q))) for a, b in zip(p, q, strict=True)
        )
    outputs = Outputs(features=ours, logits={"logits": ours})
    found = loss_of(teacher, outputs, batch, temperature=3.0)
    assert float(found) == pytest.approx(9 * expected / 2, rel=1e-5)


def test_positions_that_do_not_count_teach_nothing(teacher: TrainedModel) -> None:
    ours = torch.zeros(2, 2)
    batch = Batch(inputs={"x": torch.tensor([[0.3, -0.2], [0.1, 0.9]])})
    one = Batch(inputs={"x": batch.inputs["x"][:1]})
    masked = Outputs(features=ours, logits={"logits": ours}, masks={"logits": torch.tensor([True, False])})
    alone = Outputs(features=ours[:1], logits={"logits": ours[:1]})
    # The logarithms cancel down to a few digits of float32.
    assert float(loss_of(teacher, masked, batch)) == pytest.approx(
        float(loss_of(teacher, alone, one)), abs=1e-6
    )


@pytest.mark.numerics
def test_a_teacher_alone_teaches_a_network_its_answers(
    points: Path, tmp_path: Path, teacher: TrainedModel
) -> None:
    path = tmp_path / "teacher" / "model"
    common = {"epochs": 8, "seed": 3, "distill_weight": 1.0, "distill_temperature": 1.0}
    # Labels that say the opposite: a pupil that learns anything from them does not come to the teacher's answers.
    rows = [line.split() for line in points.read_text().splitlines()]
    opposite = tmp_path / "opposite.txt"
    opposite.write_text("\n".join(f"{x} {y} {1 - int(label)}" for x, y, label in rows))
    run(make_plan(opposite, teacher=path, **common), tmp_path / "pupil")  # type: ignore[arg-type]
    pupil = load_model(tmp_path / "pupil" / "model")
    # The last network: the best one is that which obeys the labels most.
    pupil.network.load_state_dict(weights(tmp_path / "pupil"))
    x = torch.tensor([[float(x), float(y)] for x, y, _ in rows])
    same = (pupil.network(x).argmax(-1) == teacher.network(x).argmax(-1)).double().mean()
    assert same > 0.75
    assert pupil.history["teacher"] == str(path)
    assert_same(load_model(path).network.state_dict(), teacher.network.state_dict())
    assert not any("teacher" in name for name in weights(tmp_path / "pupil"))


def test_a_teacher_of_no_weight_teaches_nothing(points: Path, tmp_path: Path, teacher: TrainedModel) -> None:
    path = tmp_path / "teacher" / "model"
    run(make_plan(points, teacher=path, epochs=1, distill_weight=0.0), tmp_path / "pupil")
    run(make_plan(points, epochs=1), tmp_path / "alone")
    assert_same(weights(tmp_path / "pupil"), weights(tmp_path / "alone"))


def test_a_teacher_of_other_labels_is_refused(points: Path, tmp_path: Path, teacher: TrainedModel) -> None:
    changed = dataclasses.replace(teacher, facts={"labels": [0, 2]})
    save_model(tmp_path / "other", changed)
    with pytest.raises(
        ConfigError, match=r"teacher '.*other' does not agree with the data on labels; train it"
    ):
        run(make_plan(points, teacher=tmp_path / "other"), tmp_path / "pupil")
    assert not (tmp_path / "pupil").exists(), "another teacher may be tried in the same place"
    save_model(tmp_path / "none", dataclasses.replace(teacher, task=None))
    with pytest.raises(ConfigError, match=r"was trained for no task, not for points/side"):
        run(make_plan(points, teacher=tmp_path / "none"), tmp_path / "again")


def test_outputs_of_another_shape_are_refused(teacher: TrainedModel) -> None:
    ours = torch.zeros(1, 3)
    with pytest.raises(ConfigError, match=r"the teacher's outputs logits \(2,\) are not .* logits \(3,\)"):
        loss_of(
            teacher, Outputs(features=ours, logits={"logits": ours}), Batch(inputs={"x": torch.zeros(1, 2)})
        )
