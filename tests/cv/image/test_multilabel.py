"""Several labels of an image: targets, loss, metrics, answers, and the way from a table to an export."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest
import torch

from denas_core import Predictor, Registry
from denas_core.errors import ConfigError
from denas_core.models import export_model
from denas_core.testing import TaskTests
from denas_core.testing.samples.spaces import SampleCNN
from denas_core.values.batch import Outputs
from denas_cv.image.multilabel import ImageMultilabel, average_precision
from denas_cv.image.task import ImageClassification
from tests.core.toy_searches import denas_here
from tests.cv.image_files import write_folder
from tests.predicting import saved_model

SPACE = SampleCNN().named("sample/cnn")


class TestPromises(TaskTests):
    def make(self) -> ImageMultilabel:
        return ImageMultilabel().named("cv/image-multilabel")


class TestPromisesWithMixing(TaskTests):
    def make(self) -> ImageMultilabel:
        return ImageMultilabel(mixup=0.5, cutmix=1.0).named("cv/image-multilabel")


def outputs(logits: torch.Tensor) -> Outputs:
    return Outputs(features=logits, logits={"logits": logits})


def test_targets_are_one_for_each_label_of_an_image(tmp_path: Path) -> None:
    task = ImageMultilabel()
    data = task.read(task.example(tmp_path, SPACE), SPACE)
    assert data.facts["labels"] == ["large", "red", "round"]
    _, targets = task.collate([data.valid.sample(index) for index in range(4)])
    assert targets["label"].tolist() == [[0, 0, 1], [0, 1, 0], [0, 1, 1], [0, 0, 0]]


def test_the_loss_is_the_binary_cross_entropy() -> None:
    logits, labels = torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]])
    wanted = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))) / 2
    task = ImageMultilabel()
    assert float(task.loss(outputs(logits), {"label": labels})) == pytest.approx(wanted, abs=1e-6)
    mixed = {"label": labels, "other": 1 - labels, "share": torch.tensor([0.75])}
    other = (math.log(1 + math.exp(2)) + math.log(1 + math.exp(1))) / 2
    assert float(task.loss(outputs(logits), mixed)) == pytest.approx(0.75 * wanted + 0.25 * other, abs=1e-6)


def test_metrics_are_those_of_four_images_worked_out_by_hand(tmp_path: Path) -> None:
    truth = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]], dtype=torch.float32)
    found = torch.tensor([[0.9, 0.6, 0.1], [0.4, 0.8, 0.1], [0.7, 0.3, 0.2], [0.1, 0.1, 0.9]])
    task = ImageMultilabel()
    metrics = task.metrics(found, {"label": truth}, task.read(task.example(tmp_path, SPACE), SPACE).valid)
    # Label 0: one hit of two named and two true; label 1: one of two and two; label 2 occurs in no image.
    assert metrics["micro_f1"] == pytest.approx(2 * 2 / (5 + 4))
    assert metrics["macro_f1"] == pytest.approx(0.5)
    # Label 0 in the order 1, 0, 1, 0: (1/1 + 2/3) / 2. Label 1 in the order 1, 0, 1, 0: the same.
    assert metrics["mAP"] == pytest.approx((1 + 2 / 3) / 2)


def test_equal_scores_count_together_in_the_average_precision() -> None:
    scores = torch.full((4,), 0.3)
    for truth in ([1, 0, 0, 0], [0, 0, 0, 1]):
        assert float(average_precision(scores, torch.tensor(truth).bool())) == pytest.approx(0.25)


def test_images_with_one_label_are_read_too_but_several_need_this_task(tmp_path: Path) -> None:
    single = write_folder(tmp_path / "single", {f"{p}/{c}": 2 for p in ("train", "val") for c in "ab"})
    data = ImageMultilabel().read(single, SPACE)
    assert data.valid.sample(0).label == (0,)
    several = tmp_path / "several"
    several.mkdir()
    ImageMultilabel().example(several, SPACE)
    with pytest.raises(ConfigError, match="several labels or none; use --task cv/image-multilabel"):
        ImageClassification().read(several, SPACE)


def test_the_same_labels_for_all_images_are_not_learnt(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"images": 6})
    (folder / "t.csv").write_text("path,tags\n" + "".join(f"{n}.png,red|round\n" for n in range(6)))
    with pytest.raises(ConfigError, match="gives all training images the same labels"):
        ImageMultilabel().read(folder, SPACE)


def test_data_choose_the_task_and_training_evaluation_and_prediction_run(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    ImageMultilabel().example(data, SPACE)
    space = Registry.discover().create("space", "cv/cnn:micro", {"classes": 3, "image_size": 16})
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps(space.sample(random.Random(0)).as_dict()))
    out = str(tmp_path / "out")
    options = ["--set", "space.classes=3", "--set", "space.image_size=16", "--epochs", "1", "--quiet"]
    done = denas_here(
        "train", "cv/cnn:micro", "--arch", str(arch), "--data", str(data), "--out", out, *options, "--json"
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["task"], result["metric"]) == ("cv/image-multilabel", "micro_f1")
    assert set(result["best"]) == {"loss", "micro_f1", "macro_f1", "mAP", "chance"}
    done = denas_here("evaluate", out, "--data", str(data), "--json")
    assert done.returncode == 0, done.stderr
    done = denas_here("predict", out, str(data), "--json")
    assert done.returncode == 0, done.stderr
    for each in json.loads(done.stdout)["predictions"]:
        named = [label for label, share in each["probabilities"].items() if share > 0.5]
        assert each["answer"] == ", ".join(named)


@pytest.mark.parametrize("form", ["torch-export", "onnx"])
def test_exports_answer_as_the_model_does(tmp_path: Path, form: str) -> None:
    registry = Registry.discover()
    space = registry.create("space", "cv/cnn:micro", {"classes": 3, "image_size": 16})
    folder, model, _ = saved_model(registry.create("task", "cv/image-multilabel"), space, tmp_path)
    done = export_model(registry.create("exporter", form), model, tmp_path / form)
    pictures = sorted(tmp_path.rglob("valid-*.png"))
    assert pictures
    pairs = zip(Predictor.load(done.directory)(pictures), Predictor.load(folder)(pictures), strict=True)
    for one, other in pairs:
        assert one.answer is not None and other.answer is not None
        assert one.answer.text == other.answer.text
        assert one.answer.probabilities == pytest.approx(dict(other.answer.probabilities), abs=1e-5)


def test_chance_is_the_same_labels_for_all_images(tmp_path: Path) -> None:
    task = ImageMultilabel()
    truth = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0]], dtype=torch.float32)
    valid = task.read(task.example(tmp_path, SPACE), SPACE).valid
    # Label 0: 3 hits of 4 named and 5 true; labels 0 and 1: 5 hits of 8 named.
    assert task.chance({"label": truth}, valid) == pytest.approx(max(2 * 3 / 9, 2 * 5 / 13))
    one = ImageClassification().chance({"label": torch.tensor([2, 2, 0, 1])}, valid)
    assert one == 0.5


def test_the_worst_answers_are_the_images_with_the_most_wrong_labels(tmp_path: Path) -> None:
    task = ImageMultilabel()
    data = task.read(task.example(tmp_path, SPACE), SPACE)
    _, targets = task.collate([data.valid.sample(index) for index in range(len(data.valid))])
    probabilities = targets["label"].clone()
    # The third image is round and red; the fourth one is nothing.
    probabilities[2], probabilities[3] = torch.tensor([0.9, 0.2, 0.1]), torch.tensor([0.1, 0.9, 0.1])
    found = task.worst_answers(probabilities, targets, data.valid, data.facts)
    assert (found["errors"], found["samples"], found["wrong"]) == ("wrong labels", len(data.valid), 2)
    first, second = found["answers"]
    assert first["sample"].endswith("valid-2.png")
    assert (first["expected"], first["answered"], first["errors"]) == ("red, round", "large", 3.0)
    assert (second["expected"], second["answered"], second["errors"]) == ("", "red", 1.0)
