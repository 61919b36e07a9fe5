"""Compare the pictures that a file prepares with those that the task of its training prepares."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import onnx
import onnxruntime  # type: ignore[import-untyped]
import torch

from denas_core.errors import PluginError

from .pictures import INPUT, OUTPUT

if TYPE_CHECKING:
    from denas_core import ImageInput, Task, TrainedModel
    from denas_core.models import Deployable

MEAN, LARGEST = 0.5, 16.0
"""Largest allowed differences of a picture, in steps of 8-bit pixels: the mean, and that of a single pixel.

ONNX Runtime and PyTorch resize with whole numbers, which they round at other places.
"""

SHARE = 1e-4
"""Largest allowed difference of a probability from that of the network for the same prepared picture."""


def check_pictures(path: Path, model: TrainedModel, module: Deployable, image: ImageInput) -> None:
    """Check a file of `with_preparation` with pictures of several sizes, small and large, wide and tall.

    Raises:
        PluginError: the prepared pictures, or the probabilities, differ.
    """
    assert model.task is not None, "an image input comes from a task"
    file = onnx.load(str(path))
    (prepared,) = (value for value in file.graph.value_info if value.name == image.input)
    file.graph.output.append(prepared)
    session = onnxruntime.InferenceSession(file.SerializeToString(), providers=["CPUExecutionProvider"])
    spread = torch.tensor(image.std).view(-1, 1, 1) * 255
    for height, width in _sizes(image.size):
        picture = _picture(height, width)
        shown, found = (
            torch.from_numpy(array)
            for array in session.run([image.input, OUTPUT], {INPUT: picture[None].numpy()})
        )
        steps = ((shown[0] - _as_task(model, model.task, picture, image)) * spread).abs()
        with torch.inference_mode():
            logits = module.named(module(shown))
        expected = _probabilities(next(iter(logits.values())), image.activation)
        apart = float((found - expected).abs().max())
        # The comparisons are not written with >, because NaN would then be accepted.
        if not (steps.mean() <= MEAN and steps.max() <= LARGEST and apart <= SHARE):
            raise PluginError(
                f"the preparation in the file differs from that of {model.task.id!r} for a picture of {width} x "
                f"{height}: by {float(steps.mean()):.2g} steps of 255 in the mean and {float(steps.max()):.2g} at "
                f"most, and probabilities by {apart:.2g}; nothing is kept, export without export.preprocessing"
            )


def _sizes(size: int) -> list[tuple[int, int]]:
    return [(size, size), (size // 2 + 1, size), (3 * size + 1, 2 * size + 5), (size + 7, 4 * size)]


def _picture(height: int, width: int) -> torch.Tensor:
    """Return a picture with smooth colours, as photographs have them, uint8 (height, width, 3)."""
    generator = torch.Generator().manual_seed(height * width)
    colours = torch.rand(1, 3, 7, 9, generator=generator) * 255
    smooth = torch.nn.functional.interpolate(colours, size=(height, width), mode="bilinear")
    return smooth[0].round().byte().permute(1, 2, 0).contiguous()


def _as_task(model: TrainedModel, task: Task[Any], picture: torch.Tensor, image: ImageInput) -> torch.Tensor:
    from PIL import Image

    with tempfile.TemporaryDirectory(prefix="denas-onnx-") as folder:
        path = Path(folder) / "picture.png"
        Image.fromarray(numpy.asarray(picture)).save(path)
        sample = task.input_reader(model.space, facts=model.facts)(path).sample(0)
    batch, _ = task.collate([sample])
    return batch.inputs[image.input][0]


def _probabilities(logits: torch.Tensor, activation: str) -> torch.Tensor:
    if activation == "softmax":
        return logits.softmax(-1)
    return logits.sigmoid() if activation else logits
