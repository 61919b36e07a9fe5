"""The task from a folder to metrics: what it reads, what a step of training does with it, and what it refuses."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.models.trained import build_network
from denas_core.registry.registry import Registry
from denas_core.testing import TaskTests
from denas_core.testing.samples.spaces import SampleCNN, SampleMLP, SampleTransformer
from denas_core.values.batch import Outputs, continuous_batch
from denas_cv.cnn.space import CNN
from denas_cv.image.task import ImageClassification
from tests.cv.image_files import REAL, needs_real_data, write_folder, write_idx, write_python_batches

SPACE = SampleCNN().named("sample/cnn")


class TestPromises(TaskTests):
    def make(self) -> ImageClassification:
        return ImageClassification().named("cv/image-classification")


class TestPromisesOfStrongAugmentation(TaskTests):
    def make(self) -> ImageClassification:
        strong: Any = ImageClassification.presets["strong"]
        return ImageClassification(**strong).named("cv/image-classification")


class TestPromisesOnGreyImages(TaskTests):
    def make(self) -> ImageClassification:
        return ImageClassification(skip_corrupt=True).named("cv/image-classification")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (CNN(image_size=16, channels=1, max_layers=2).named("cv/cnn"),)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_folder(
        tmp_path, {"train/cat": 4, "train/dog": 4, "train/owl": 4, "val/cat": 2, "val/dog": 2, "val/owl": 2}
    )


def outputs(logits: torch.Tensor) -> Outputs:
    return Outputs(features=logits, logits={"logits": logits})


def test_the_registry_has_it_with_its_presets() -> None:
    registry = Registry.discover()
    task = registry.create("task", "image-classification:strong", {"cutmix": 0.5})
    assert (task.id, task.rand_augment, task.cutmix) == ("cv/image-classification", 2, 0.5)


def test_one_step_of_training_by_hand_lowers_the_loss(photos: Path) -> None:
    task = ImageClassification(rand_augment=1, mixup=0.5)
    data = task.read(photos, SPACE)
    assert data.train is not None
    arch = SPACE.sample(random.Random(0))
    network = SPACE.load(build_network(SPACE, arch, task=task, facts=data.facts), arch, seed=0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    samples = [data.train.sample(i, random.Random(i)) for i in range(len(data.train))]
    batch, targets = task.collate(samples, random.Random(1))
    losses = []
    for _ in range(2):
        loss = task.loss(SPACE.forward(network, batch), targets, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[1] < losses[0]
    network.eval()
    batch, targets = task.collate([data.valid.sample(i) for i in range(len(data.valid))])
    with torch.no_grad():
        predictions = task.predict(SPACE.forward(network, batch))
    assert predictions.shape == (6, 3)
    assert set(task.metrics(predictions, targets, data.valid)) == {"accuracy", "balanced_accuracy"}


def test_facts_hold_what_a_network_needs(photos: Path) -> None:
    facts = ImageClassification().read(photos, SPACE).facts
    assert facts["labels"] == ["cat", "dog", "owl"]
    assert (facts["image_size"], facts["channels"], facts["kind"]) == (8, 3, "image-folder")
    assert json.loads(json.dumps(facts)) == facts


def test_normalised_training_images_have_mean_0_and_spread_1(photos: Path) -> None:
    task = ImageClassification()
    data = task.read(photos, SPACE)
    assert data.train is not None
    batch, _ = task.collate([data.train.sample(i) for i in range(len(data.train))])
    [(name, pixels)] = batch.inputs.items()
    assert name == "x"
    assert pixels.shape == (12, 3, 8, 8)
    assert torch.allclose(pixels.mean((0, 2, 3)), torch.zeros(3), atol=1e-4)
    assert torch.allclose(pixels.square().mean((0, 2, 3)).sqrt(), torch.ones(3), atol=1e-3)


def test_images_of_one_colour_have_a_normalisation(tmp_path: Path) -> None:
    from PIL import Image

    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(2):
            size = (8 + number, 8 + (label == "b"))
            Image.new("RGB", size, (51, 102, 255)).save(tmp_path / label / f"{number}.png")
    facts = ImageClassification().read(tmp_path, SPACE).facts
    assert facts["mean"] == [0.2, 0.4, 1.0]
    assert facts["std"] == [pytest.approx(1 / 255, abs=1e-5)] * 3


@pytest.mark.parametrize(("channels", "grey"), [(1, False), (3, True), (1, True), (3, False)])
def test_grey_and_coloured_data_suit_networks_for_either(tmp_path: Path, channels: int, grey: bool) -> None:
    write_idx(tmp_path, "train", [0, 9, 0, 9]) if grey else write_python_batches(tmp_path)
    space = CNN(image_size=16, channels=channels).named("cv/cnn")
    data = ImageClassification().read(tmp_path, space)
    assert data.train is not None
    assert data.train.sample(0).pixels.shape == (channels, 16, 16)
    assert data.train.sample(0, random.Random(0)).pixels.shape == (channels, 16, 16)
    assert len(data.facts["mean"]) == data.facts["channels"] == channels


def is_mirrored_sometimes(task: ImageClassification, path: Path, space: SearchSpace) -> bool:
    train = task.read(path, space).train
    assert train is not None
    plain = train.sample(0).pixels
    found = [train.sample(0, random.Random(seed)).pixels for seed in range(20)]
    assert all(torch.equal(each, plain) or torch.equal(each, plain.flip(-1)) for each in found)
    return any(torch.equal(each, plain.flip(-1)) for each in found)


def test_coloured_images_are_mirrored_and_grey_ones_are_not_unless_asked(tmp_path: Path) -> None:
    space = CNN(image_size=16).named("cv/cnn")
    colour = write_folder(tmp_path / "colour", {"a": 3, "b": 3})
    grey = write_folder(tmp_path / "grey", {"a": 3, "b": 3})
    from PIL import Image

    for file in grey.glob("*/*.png"):
        # Grey in three channels, as many scans are stored.
        Image.open(file).convert("L").convert("RGB").save(file)
    for path, flip, expected in (
        (colour, "auto", True),
        (grey, "auto", False),
        (grey, "random", True),
        (colour, "none", False),
    ):
        task = ImageClassification(crop="none", flip=flip)  # type: ignore[arg-type]
        assert is_mirrored_sometimes(task, path, space) is expected


def test_large_images_are_cropped_by_area_and_small_ones_are_moved(photos: Path) -> None:
    from denas_cv.image.augmentation import Augmentation

    for size, crop, share in ((32, "pad", 1.0), (96, "resized", 0.875)):
        data = ImageClassification().read(photos, CNN(image_size=size).named("cv/cnn"))
        augmentation: Augmentation = data.train._augmentation  # type: ignore[union-attr]
        assert (augmentation.crop, augmentation.centre_crop) == (crop, share)
        assert data.facts["centre_crop"] == share


def test_the_loss_is_the_cross_entropy_with_smoothing_and_soft_targets() -> None:
    task = ImageClassification()
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    first, second = torch.tensor([0, 1, 2, 3, 0]), torch.tensor([3, 1, 0, 0, 2])
    plain = task.loss(outputs(logits), {"label": first}, label_smoothing=0.1)
    assert plain == pytest.approx(float(F.cross_entropy(logits, first, label_smoothing=0.1)), rel=1e-5)
    share = 0.3
    targets = {"label": first, "other": second, "share": torch.full((5,), share)}
    soft = share * F.one_hot(first, 4) + (1 - share) * F.one_hot(second, 4)
    by_hand = -((soft * 0.9 + 0.1 / 4) * logits.log_softmax(1)).sum(1).mean()
    assert float(task.loss(outputs(logits), targets, label_smoothing=0.1)) == pytest.approx(
        float(by_hand), rel=1e-5
    )
    assert task.loss(outputs(logits.bfloat16()), {"label": first}).dtype == torch.float32


def test_metrics_worked_out_by_hand() -> None:
    task = ImageClassification()
    # Rows of classes, best first: right, right in the top 5, wrong.
    predictions = torch.tensor([[0, 1, 2, 3, 4], [1, 0, 2, 3, 4], [1, 2, 3, 4, 5], [7, 1, 2, 3, 4]])
    found = task.metrics(predictions, {"label": torch.tensor([0, 0, 0, 7])}, None)  # type: ignore[arg-type]
    assert found == {
        "accuracy": 0.5,
        "balanced_accuracy": pytest.approx((1 / 3 + 1) / 2),
        "top5_accuracy": 0.75,
    }
    logits = torch.eye(8)[:4] + torch.arange(8) * 0.01
    assert task.predict(outputs(logits))[:, :2].tolist() == [[0, 7], [1, 7], [2, 7], [3, 7]]


def test_mixed_batches_have_two_labels_and_evaluated_ones_have_one(photos: Path) -> None:
    task = ImageClassification(cutmix=1.0)
    data = task.read(photos, SPACE)
    assert data.train is not None
    samples = [data.train.sample(i) for i in range(12)]
    _, targets = task.collate(samples, random.Random(0))
    assert {name: tensor.shape for name, tensor in targets.items()} == {
        "label": (12,),
        "other": (12,),
        "share": (12,),
    }
    assert sorted(targets["other"].tolist()) == sorted(targets["label"].tolist())
    assert set(task.collate(samples)[1]) == {"label"}


def test_an_evaluation_uses_the_facts_and_names_of_the_network(photos: Path, tmp_path: Path) -> None:
    task = ImageClassification()
    learnt = task.read(photos, SPACE)
    facts = {
        **learnt.facts,
        "labels": ["owl", "yak", "dog", "cat"],
        "mean": [0.1, 0.2, 0.3],
        "std": [1.0, 2.0, 4.0],
    }
    data = task.read(photos, SPACE, facts=facts)
    assert data.train is None
    assert dict(data.facts) == facts
    samples = [data.valid.sample(i) for i in range(6)]
    assert [facts["labels"][sample.label] for sample in samples] == ["cat", "cat", "dog", "dog", "owl", "owl"]
    batch, _ = task.collate(samples)
    expected = (samples[0].pixels[2].float() / 255 - 0.3) / 4
    assert torch.allclose(batch.inputs["x"][0, 2], expected, atol=1e-5)
    with pytest.raises(
        ConfigError, match=r"class 'owl', which the network was not trained for; did you mean 'howl'"
    ):
        task.read(photos, SPACE, facts={**facts, "labels": ["cat", "dog", "howl"]})


def test_an_evaluation_measures_what_training_set_aside(tmp_path: Path) -> None:
    path = write_folder(tmp_path, {"a": 10, "b": 10})
    task = ImageClassification(valid_share=0.3)
    learnt = task.read(path, SPACE)
    again = task.read(path, SPACE, facts=learnt.facts)
    assert len(learnt.valid) == len(again.valid) == 6
    for index in range(6):
        assert torch.equal(learnt.valid.sample(index).pixels, again.valid.sample(index).pixels)


def test_a_damaged_image_is_named_or_left_out(photos: Path) -> None:
    for name in ("train/dog/2.png", "val/owl/0.png"):
        (photos / name).write_bytes(b"\x89PNG\r\n\x1a\n but no more of " + name.encode())
    with pytest.raises(ConfigError, match=r"train/dog/2\.png' cannot be read"):
        ImageClassification().read(photos, SPACE)
    data = ImageClassification(skip_corrupt=True).read(photos, SPACE)
    assert (len(data.train or ()), len(data.valid)) == (11, 5)
    assert "1 of 12 training images cannot be read and are left out" in data.notices[0]
    assert "owl/0.png" in data.notices[1]
    evaluated = ImageClassification(skip_corrupt=True).read(photos, SPACE, facts=data.facts)
    assert len(evaluated.valid) == 5
    for file in (photos / "val").glob("*/*.png"):
        file.write_bytes(b"")
    with pytest.raises(ConfigError, match="none of the 6 measured images can be read"):
        ImageClassification(skip_corrupt=True).read(photos, SPACE)


class Shaped(SampleMLP):
    """A space whose images have a given shape."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.__dict__["shape"] = shape

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Any:
        return continuous_batch(self.__dict__["shape"], size, seed=seed, kind=kind)


def test_spaces_that_see_no_square_images_are_refused_with_the_reason(photos: Path) -> None:
    task = ImageClassification()
    assert "input 'tokens' is torch.int64 of shape (1, 7), not an image" in task.why_unsuitable(
        SampleTransformer()
    )
    assert "not an image" in task.why_unsuitable(SampleMLP())
    assert "2 channels" in task.why_unsuitable(Shaped(2, 8, 8))
    assert "8 x 9 pixels, not square" in task.why_unsuitable(Shaped(3, 8, 9))
    assert task.why_unsuitable(CNN()) == task.why_unsuitable(SPACE) == ""
    with pytest.raises(ConfigError, match="cannot classify images: its images have 2 channels"):
        task.read(photos, Shaped(2, 8, 8))


@needs_real_data
def test_the_real_cifar_is_normalised_as_is_well_known() -> None:
    facts = ImageClassification().read(REAL / "cifar10-python", CNN().named("cv/cnn")).facts
    assert facts["mean"] == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.01)
    assert facts["std"] == pytest.approx([0.2470, 0.2435, 0.2616], abs=0.01)


def test_importing_the_task_loads_neither_torch_nor_pillow() -> None:
    code = "import sys, denas_cv.image.task; print({'torch', 'numpy', 'PIL'} & set(sys.modules) or 'light')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "light\n"
