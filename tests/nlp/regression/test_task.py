"""Numbers for texts: found in tables, learnt in units of their spread, answered in their own."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from denas_core import Predictor, Registry, SearchSpace
from denas_core.errors import ConfigError
from denas_core.models import export_model
from denas_core.testing import TaskTests
from denas_core.values.batch import Outputs
from denas_nlp.classification.task import TextClassification
from denas_nlp.regression.task import ScoreSplit, TextRegression
from tests.nlp.texts import write_vocab
from tests.nlp.toy_text_space import ToyText
from tests.predicting import outputs_for, saved_model

SPACE = ToyText().named("toy/text")


def task(**options: object) -> TextRegression:
    return TextRegression(**options).named("nlp/text-regression")  # type: ignore[arg-type]


class TestPromises(TaskTests):
    def make(self) -> TextRegression:
        return task()

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE,)


def write_prices(folder: Path, *, head: str = "description;price") -> Path:
    """Write a table of 40 texts with numbers that have a decimal comma."""
    write_vocab(folder)
    rng = random.Random(0)
    rows = [f"the old town {number};{rng.uniform(5, 500):.2f}".replace(".", ",") for number in range(40)]
    (folder / "train.csv").write_text("\n".join([head, *rows]) + "\n")
    return folder


def test_a_table_of_numbers_is_recognised_and_one_of_labels_is_not(tmp_path: Path) -> None:
    found = task().describe(write_prices(tmp_path))
    assert found is not None and found.format == "CSV with semicolons of texts with numbers"
    assert found.samples == {"train": 40} and not found.labels and "price" in found.facts
    with pytest.raises(ConfigError, match=r"it is a scale, not labels; .* with --task nlp/text-regression"):
        TextClassification().named("nlp/text-classification").describe(
            write_prices(tmp_path, head="text;label")
        )
    stars = "\n".join(f"the old town {number},{number % 5 + 1}" for number in range(40))
    (tmp_path / "train.csv").write_text(f"review,stars\n{stars}\n")
    assert task().describe(tmp_path) is None
    asked = task(whole_numbers=True).describe(tmp_path)
    assert asked is not None and asked.task_options["whole_numbers"] is True


def test_the_column_of_numbers_is_found_or_named(tmp_path: Path) -> None:
    rows = "\n".join(f"{n},the old town {n},{n / 7:.3f},{n / 3:.3f}" for n in range(40))
    (tmp_path / "train.csv").write_text(f"id,text,width,height\n{rows}\n")
    write_vocab(tmp_path)
    with pytest.raises(
        ConfigError, match=r"'width', 'height' could be its scores; name it with --set task.label"
    ):
        task().read(tmp_path, SPACE)
    assert task(label="height").read(tmp_path, SPACE).facts["columns"]["labels"] == ["height"]
    (tmp_path / "train.csv").write_text("text,score\n" + "the town,2.5\n" * 20)
    with pytest.raises(ConfigError, match=r"all 18 texts of .* have the number 2.5"):
        task().read(tmp_path, SPACE)


def test_rows_without_a_number_are_left_out_and_named(tmp_path: Path) -> None:
    rows = [f"the old town {number},{number / 8}" for number in range(40)]
    rows[3] = "a river,unknown"
    (tmp_path / "train.csv").write_text("\n".join(["text,score", *rows]) + "\n")
    write_vocab(tmp_path)
    data = task().read(tmp_path, SPACE)
    assert data.train is not None and len(data.train) + len(data.valid) == 39
    assert any("line 5 ('unknown' in 'score' is no number)" in notice for notice in data.notices)


def test_numbers_are_learnt_in_units_of_their_spread_and_measured_in_their_own(tmp_path: Path) -> None:
    write_vocab(tmp_path)
    (tmp_path / "train.csv").write_text("text,score\nthe town,10\nthe river,30\n")
    (tmp_path / "valid.csv").write_text("text,score\nthe town,0\nthe river,20\nthe old town,40\n")
    data = task().read(tmp_path, SPACE)
    assert isinstance(data.valid, ScoreSplit) and data.facts["scale"] == {"mean": 20.0, "spread": 10.0}
    assert [data.valid.sample(index).targets[0] for index in range(3)] == [-2, 0, 2]
    targets = {"label": torch.tensor([-2.0, 0.0, 2.0])}
    # Predictions of 10, 20 and 30: errors of 10, 0 and 10.
    found = task().metrics(torch.tensor([-1.0, 0.0, 1.0]), targets, data.valid)
    assert found == {
        "mse": pytest.approx(200 / 3),
        "pearson": pytest.approx(1.0),
        "spearman": pytest.approx(1.0),
    }
    # The mean of 0, 20 and 40 is 20.
    assert task().chance(targets, data.valid) == pytest.approx(800 / 3)
    outputs = Outputs(logits={"logits": torch.tensor([[-1.0], [1.0], [2.0]])}, features=None)
    assert float(task().loss(outputs, targets)) == pytest.approx((1 + 1 + 0) / 3)


def test_answers_are_in_the_units_of_the_data_also_from_an_export(tmp_path: Path) -> None:
    space = Registry.discover().create("space", "nlp/bert:micro")
    folder, model, read = saved_model(
        Registry.discover().create("task", "nlp/text-regression"), space, tmp_path
    )
    scale, sentence = model.facts["scale"], "the film is great"
    lines = (tmp_path / "data" / "valid.csv").read_text().splitlines()[1:]
    sentence = lines[0].rpartition(",")[0]
    (found,) = Predictor.load(folder)([sentence])
    output = float(outputs_for(model, read, 0).logits["logits"][0, 0])
    assert found.answer is not None and found.answer.probability is None
    assert float(found.answer.text) == pytest.approx(scale["mean"] + scale["spread"] * output, rel=1e-4)
    done = export_model(Registry.discover().create("exporter", "onnx"), model, tmp_path / "onnx")
    (again,) = Predictor.load(done.path)([sentence])
    assert again.answer is not None
    assert float(again.answer.text) == pytest.approx(float(found.answer.text), rel=1e-3)


def test_the_worst_answers_are_furthest_from_the_right_number(tmp_path: Path) -> None:
    write_vocab(tmp_path)
    (tmp_path / "train.csv").write_text("text,score\nthe town,10\nthe river,30\n")
    (tmp_path / "valid.csv").write_text("text,score\nthe town,0\nthe river,20\nthe old town,40\n")
    data, targets = task().read(tmp_path, SPACE), {"label": torch.tensor([-2.0, 0.0, 2.0])}
    found = task().worst_answers(torch.tensor([-1.0, 0.0, -1.0]), targets, data.valid, data.facts)
    assert (found["errors"], found["samples"], found["wrong"]) == ("difference", 3, 2)
    assert found["answers"] == [
        {"sample": "the old town", "expected": "40", "answered": "10", "errors": 30.0},
        {"sample": "the town", "expected": "0", "answered": "10", "errors": 10.0},
    ]
