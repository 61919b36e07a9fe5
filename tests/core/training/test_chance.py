"""A model that is not better than one and the same answer for every sample: users are told so."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.builtin.exporters.model_card import render_card
from denas_core.contracts.chance import nothing_learnt
from denas_core.contracts.task import Metric
from denas_core.models.trained import load_model
from tests.core.toy_searches import denas_here

from .trainings import make_plan, run, write_points


@pytest.fixture(autouse=True)
def _points_say_what_chance_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENAS_POINTS_CHANCE", "1")


ACCURACY = Metric(name="accuracy", is_share=True)
WER = Metric(name="wer", direction="minimize", worst=1.0, is_share=True)
PEARSON = Metric(name="pearson")


@pytest.mark.parametrize(
    ("metric", "value", "chance", "samples", "said"),
    [
        (
            ACCURACY,
            0.5,
            0.5,
            1000,
            "has learnt nothing: its accuracy on 1000 samples is 0.5, and one and the same",
        ),
        (ACCURACY, 0.3, 0.5, None, "has learnt nothing: its accuracy is 0.3, and"),
        # The standard error of 0.5 on 100 samples is 0.05, and 1.64 of it are 0.082.
        (
            ACCURACY,
            0.58,
            0.5,
            100,
            "not certain that the model has learnt anything: its accuracy on 100 samples",
        ),
        (ACCURACY, 0.583, 0.5, 100, ""),
        (ACCURACY, 0.58, 0.5, None, ""),
        (WER, 1.0, 1.0, 1, "has learnt nothing: its wer on 1 sample is 1,"),
        (WER, 1.2, 0.97, 4, "has learnt nothing"),
        (WER, 0.9, 1.0, 4, ""),
        (PEARSON, 0.0, 0.0, 10, "has learnt nothing"),
        (PEARSON, 0.01, 0.0, 10, ""),
    ],
)
def test_a_model_is_compared_with_one_answer(
    metric: Metric, value: float, chance: float, samples: int | None, said: str
) -> None:
    found = nothing_learnt(metric, {metric.name: value, "chance": chance}, samples)
    assert said in found and bool(said) == bool(found)


def test_nothing_is_said_where_chance_is_not_known() -> None:
    assert nothing_learnt(ACCURACY, {"accuracy": 0.0}, 10) == ""


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """A training whose learning rate is too small to learn anything, and its data."""
    points = write_points(tmp_path / "points.txt")
    result = run(make_plan(points, epochs=1, lr=1e-9), tmp_path / "training")
    assert "learnt" in result.notices[-1] and "train it longer (training.epochs)" in result.notices[-1]
    return tmp_path


def test_an_evaluation_and_a_model_card_say_that_nothing_was_learnt(untrained: Path) -> None:
    done = denas_here("evaluate", str(untrained / "training"), "--data", str(untrained / "points.txt"))
    assert done.returncode == 0, done.stderr
    assert "note: the model has learnt nothing" in done.stderr and "train it longer" in done.stderr
    assert "chance" in done.stdout
    model = load_model(untrained / "training" / "model")
    card = render_card(model, requirements=(), usage="")
    assert "**The model has learnt nothing: its accuracy on 40 samples is" in card
    assert "chance (accuracy of one and the same answer for every input)" in card


def test_a_model_that_has_learnt_is_not_called_useless(tmp_path: Path) -> None:
    result = run(make_plan(write_points(tmp_path / "points.txt"), epochs=20), tmp_path / "training")
    assert not any("learnt" in notice for notice in result.notices)
    card = render_card(load_model(tmp_path / "training" / "model"), requirements=(), usage="")
    assert "has learnt" not in card
