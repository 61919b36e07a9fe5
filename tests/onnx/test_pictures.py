"""ONNX files that take pictures as they are: the same labels as `denas predict`, with ONNX Runtime alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from PIL import Image

from denas_core import Predictor, Registry, TrainedModel, save_model
from denas_core.errors import ConfigError, PluginError
from denas_core.models import build_network
from denas_core.models.export import export_model
from denas_core.testing.checks.processes import fault_of
from denas_onnx import pictures
from denas_onnx.exporter import ONNX


def exporter(**options: Any) -> ONNX:
    return ONNX(preprocessing=True, **options).named("onnx/onnx")


def trained_model(folder: Path, *, channels: int = 3, size: int = 16) -> TrainedModel:
    """Return a network whose answers differ clearly between pictures."""
    registry = Registry.discover()
    options = {"classes": 3, "image_size": size, "channels": channels, "max_layers": 1}
    space = registry.create("space", "cv/cnn:micro", options)
    task = registry.create("task", "cv/image-classification")
    folder.mkdir(parents=True)
    facts = task.read(task.example(folder, space), space).facts
    arch = space.smallest()
    assert arch is not None
    network = space.load(build_network(space, arch, task=task, facts=facts), arch, seed=0).eval()
    with torch.no_grad():
        list(network.parameters())[-2].mul_(40)
    return TrainedModel(space=space, arch=arch, network=network, task=task, facts=facts)


def picture(path: Path, height: int, width: int) -> Path:
    generator = torch.Generator().manual_seed(width)
    colours = torch.rand(1, 3, 4, 5, generator=generator) * 255
    pixels = torch.nn.functional.interpolate(colours, size=(height, width), mode="bilinear")[0]
    Image.fromarray(pixels.byte().permute(1, 2, 0).numpy()).save(path)
    return path


RUN = """
import json, numpy, onnxruntime, sys
from PIL import Image
session = onnxruntime.InferenceSession({path!r})
described = json.loads(session.get_modelmeta().custom_metadata_map["preprocessing"])
assert [value.name for value in session.get_inputs()] == ["images"] and described["inside"]
for file, expected in json.loads({expected!r}):
    image = numpy.asarray(Image.open(file).convert("RGB"))
    (found,) = session.run(["probabilities"], {{"images": image[None]}})
    apart = max(abs(value - expected[label]) for label, value in zip(described["labels"], found[0].tolist()))
    assert apart <= 0.02, (file, apart)
assert "torch" not in sys.modules
"""


@pytest.mark.parametrize(("channels", "size", "opset"), [(3, 16, 18), (1, 16, 20), (3, 96, 18)])
def test_pictures_of_any_size_get_the_same_labels_where_denas_and_torch_are_not(
    channels: int, size: int, opset: int, tmp_path: Path
) -> None:
    model = trained_model(tmp_path / "data", channels=channels, size=size)
    done = export_model(exporter(opset=opset), model, tmp_path / "out")
    sides = [(5 * size + 1, 7 * size), (3 * size, 2 * size + 1), (size, size), (size // 2, size)]
    files = [picture(tmp_path / f"{place}.png", *side) for place, side in enumerate(sides)]
    save_model(tmp_path / "model", model)
    answers = [one.answer for one in Predictor.load(tmp_path / "model")(files)]
    expected = [
        (str(file), dict(answer.probabilities)) for file, answer in zip(files, answers, strict=True) if answer
    ]
    assert len(expected) == len(files)
    assert max(max(one.values()) - min(one.values()) for _, one in expected) > 0.1
    code = RUN.format(path=str(done.path), expected=json.dumps(expected))
    assert fault_of(code, absent=["denas_core", "torch"]) == ""
    again = [one.answer for one in Predictor.load(done.path)(files)]
    for (_, one), answer in zip(expected, again, strict=True):
        assert answer is not None
        assert answer.probabilities == pytest.approx(one, abs=1e-5)


def test_the_card_and_the_metadata_say_that_pictures_are_taken(tmp_path: Path) -> None:
    model = trained_model(tmp_path / "data")
    done = export_model(exporter(), model, tmp_path / "out")
    card = json.loads((done.directory / "card.json").read_text())["preprocessing"]
    metadata = {entry.key: json.loads(entry.value) for entry in onnx.load(str(done.path)).metadata_props}
    assert card == metadata["preprocessing"]
    assert card["inputs"] == [{"name": "images", "shape": ["batch", "height", "width", 3], "dtype": "uint8"}]
    assert (card["outputs"], card["labels"]) == (["probabilities"], ["circle", "square", "triangle"])
    assert (card["kind"], card["size"], card["mean"]) == ("image", 16, model.facts["mean"])


def test_a_preparation_that_differs_from_that_of_the_task_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "LUMA", (0.114, 0.587, 0.299))
    with pytest.raises(
        PluginError, match=r"the preparation in the file differs from that of 'cv/image-class"
    ):
        export_model(exporter(), trained_model(tmp_path / "data", channels=1), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_network_whose_inputs_are_not_known_is_refused(tmp_path: Path) -> None:
    model = trained_model(tmp_path / "data")
    untrained = TrainedModel(space=model.space, arch=model.arch, network=model.network)
    with pytest.raises(
        ConfigError, match=r"and this network of 'cv/cnn' takes unknown inputs; export it without this option"
    ):
        export_model(exporter(), untrained, tmp_path / "out")
    assert not (tmp_path / "out").exists()
