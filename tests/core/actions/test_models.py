"""Evaluations, exports and predictions from Python."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import denas_core
from denas_core.builtin import Safetensors
from denas_core.errors import ConfigError, NotInstalled
from tests.predicting import saved_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model for pictures with fresh weights; its data are beside it."""
    registry = denas_core.Registry.discover()
    space = registry.create("space", "cv/cnn:micro", {"classes": 3, "image_size": 16})
    return saved_model(registry.create("task", "cv/image-classification"), space, tmp_path)[0]


def test_an_evaluation_has_its_metric_and_its_samples(
    found: denas_core.SearchResult, points: Path, tmp_path: Path
) -> None:
    training = denas_core.train(found, points, epochs=1)
    measured = denas_core.evaluate(training, points)
    assert (measured.metric, measured.samples, measured.value) == ("accuracy", 40, training.value)
    assert "on 40 samples" in measured._repr_html_()
    assert measured.path == training.path / "model"
    with pytest.raises(ConfigError, match="cannot read"):
        denas_core.evaluate(training, tmp_path / "nothing.txt")
    with pytest.raises(ConfigError, match="has no option 'nothing'"):
        denas_core.evaluate(training, points, options={"nothing": 1})


def test_what_is_not_trained_is_not_measured(found: denas_core.SearchResult, points: Path) -> None:
    with pytest.raises(ConfigError, match="is not trained; train it first"):
        denas_core.evaluate(found, points)
    with pytest.raises(ConfigError, match="is not trained"):
        denas_core.export(found, "safetensors")
    with pytest.raises(ConfigError, match="is not trained"):
        denas_core.predict(found, "a.png")


@pytest.mark.parametrize(
    "form",
    ["safetensors", {"name": "builtin/safetensors"}, Safetensors()],
    ids=["name", "mapping", "object"],
)
def test_an_export_lies_where_the_command_puts_it(
    found: denas_core.SearchResult, points: Path, form: object
) -> None:
    training = denas_core.train(found, points, epochs=0)
    exported = denas_core.export(training, form)  # type: ignore[arg-type]
    assert exported.directory == found.path / "export" / "safetensors"
    assert exported.size_mb > 0 and "load it in Python" in exported._repr_html_()
    with pytest.raises(ConfigError, match="holds an export already"):
        denas_core.export(found, form)  # type: ignore[arg-type]
    assert denas_core.export(found, form, replace=True).path == exported.path  # type: ignore[arg-type]


def test_unknown_forms_are_refused_in_one_line(found: denas_core.SearchResult) -> None:
    with pytest.raises(NotInstalled, match="no installed plugin has an exporter 'onyx'"):
        denas_core.export(found, "onyx")
    with pytest.raises(ConfigError, match="chooses an architecture that is exported with"):
        denas_core.export(found, "safetensors", select="knee")


def test_predictions_take_files_folders_and_pictures(model: Path) -> None:
    files = sorted((model.parent / "data").rglob("*.png"))[:3]
    several = denas_core.predict(model, files)
    assert [one.name for one in several] == [str(file) for file in files]
    assert several._repr_html_().count("<tr>") == 4
    one = denas_core.predict(str(model), str(files[0]))
    folder = denas_core.predict(denas_core.Predictor.load(model), files[0].parent)
    assert [one[0].name, folder[0].name] == [str(files[0])] * 2
    # Several pictures are computed together, so that values may differ in their last bits.
    shares = [each[0].answer.probability for each in (one, several, folder) if each[0].answer is not None]
    assert shares == pytest.approx([shares[0]] * 3, rel=1e-5)
    with pytest.raises(ConfigError, match=r"nothing\.png"):
        denas_core.predict(model, model / "nothing.png")


def test_an_input_that_cannot_be_read_says_why(model: Path, tmp_path: Path) -> None:
    good = next((model.parent / "data").rglob("*.png"))
    answers = denas_core.predict(model, [str(tmp_path / "nothing.png"), good])
    assert answers[0].answer is None and "nothing.png" in str(answers[0].fault)
    assert answers[1].answer is not None
    assert "nothing.png" in answers._repr_html_()
    assert torch.is_inference_mode_enabled() is False
