"""The code of ``predict.py`` for images prepares them as the task does, with Pillow and NumPy alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from denas_core import Outputs, Registry
from denas_core.errors import ConfigError

FACTS = {
    "labels": ["cat", "dog", "fox"],
    "mean": [0.4, 0.5, 0.3],
    "std": [0.2, 0.3, 0.25],
    "centre_crop": 0.875,
}


def picture(mode: str, size: tuple[int, int]) -> Image.Image:
    """Return smooth random pixels: at sharp edges, libraries that resize differ in single values."""
    rng = numpy.random.default_rng(5)
    bands = [
        Image.fromarray(rng.integers(256, size=(6, 5), dtype=numpy.uint8)).resize(
            size, Image.Resampling.BICUBIC
        )
        for _ in Image.new(mode, (1, 1)).getbands()
    ]
    return Image.merge(mode, bands) if len(bands) > 1 else bands[0]


def namespace(code: str) -> dict[str, Any]:
    found: dict[str, Any] = {"numpy": numpy}
    exec(code, found)
    return found


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(150, 120), (20, 31)])
def test_an_image_is_prepared_as_the_task_does(
    tmp_path: Path, mode: str, channels: int, size: tuple[int, int]
) -> None:
    registry = Registry.discover()
    task = registry.create("task", "cv/image-classification")
    space = registry.create("space", "cv/cnn", {"image_size": 48, "channels": channels})
    facts = {**FACTS, "mean": FACTS["mean"][:channels], "std": FACTS["std"][:channels], "channels": channels}
    path = tmp_path / "picture.png"
    picture(mode, size).save(path)
    split = task.input_reader(space, facts=facts)(path)
    batch, _ = task.collate([split.sample(0)])
    ((name, ours),) = batch.inputs.items()
    ((found, theirs),) = namespace(task.script(space, facts=facts))["read"](str(path)).items()
    assert (found, theirs.dtype, theirs.shape) == (name, numpy.float32, tuple(ours.shape))
    # One step of 8 bits: the order of rounding differs.
    assert numpy.abs(theirs - ours.numpy()).max() <= 2.01 / 255 / 0.2


def test_a_photo_that_lies_on_its_side_is_turned(tmp_path: Path) -> None:
    registry = Registry.discover()
    task, space = registry.create("task", "cv/image-classification"), registry.create("space", "cv/cnn")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture("RGB", (80, 60)).save(tmp_path / "turned.png", exif=exif)
    split = task.input_reader(space, facts=FACTS)(tmp_path / "turned.png")
    ours, _ = task.collate([split.sample(0)])
    theirs = namespace(task.script(space, facts=FACTS))["read"](tmp_path / "turned.png")
    assert numpy.abs(next(iter(theirs.values())) - next(iter(ours.inputs.values())).numpy()).max() <= 0.04


@pytest.mark.parametrize("mode", ["I;16", "I"])
def test_a_picture_of_16_bits_is_prepared_as_the_task_does(tmp_path: Path, mode: str) -> None:
    registry = Registry.discover()
    task, space = registry.create("task", "cv/image-classification"), registry.create("space", "cv/cnn")
    path = tmp_path / "deep.tiff"
    grey = numpy.asarray(picture("L", (80, 60))).astype(numpy.uint16 if mode == "I;16" else numpy.int32)
    Image.fromarray(grey * 256).save(path)
    ours, _ = task.collate([task.input_reader(space, facts=FACTS)(path).sample(0)])
    theirs = namespace(task.script(space, facts=FACTS))["read"](str(path))
    assert numpy.abs(next(iter(theirs.values())) - next(iter(ours.inputs.values())).numpy()).max() <= 0.04


def test_a_picture_that_the_task_refuses_is_refused(tmp_path: Path) -> None:
    registry = Registry.discover()
    task, space = registry.create("task", "cv/image-classification"), registry.create("space", "cv/cnn")
    grey = numpy.asarray(picture("L", (80, 60)))
    Image.fromarray(grey.astype(numpy.float32)).save(tmp_path / "float.tiff")
    Image.fromarray(grey.astype(numpy.int32) * 2**20).save(tmp_path / "deep.tiff")
    picture("RGB", (80, 60)).save(tmp_path / "postscript.jpg", format="EPS")
    read = namespace(task.script(space, facts=FACTS))["read"]
    for name in ("float.tiff", "deep.tiff", "postscript.jpg"):
        with pytest.raises(ConfigError):
            task.input_reader(space, facts=FACTS)(tmp_path / name).sample(0)
        with pytest.raises((ValueError, OSError), match=r"convert it|cannot identify"):
            read(str(tmp_path / name))


@pytest.mark.parametrize("name", ["image-classification", "image-multilabel"])
def test_the_answer_is_that_of_the_task(name: str) -> None:
    registry = Registry.discover()
    task, space = registry.create("task", f"cv/{name}"), registry.create("space", "cv/cnn")
    answer = namespace(task.script(space, facts=FACTS))["answer"]
    for logits in ([2.0, -1.0, 0.5], [-1.0, -2.0, -3.0]):
        tensor = torch.tensor([logits])
        outputs = Outputs(features=tensor, logits={"logits": tensor})
        details = task.details(space, None, None, outputs, None)
        ours = task.answer(details, None, facts=FACTS)
        assert answer({"logits": tensor.numpy()}) == f"{ours.text}\t{ours.probability:.3f}"
