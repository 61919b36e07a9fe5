"""ONNX files: the same outputs, for any batch, without DE-NAS, with labels and normalisation inside."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
import torch

from denas_core import SearchSpace, TrainedModel
from denas_core.errors import ConfigError, PluginError
from denas_core.models.export import export_model
from denas_core.models.trained import build_network
from denas_core.registry.registry import Registry
from denas_core.testing.checks.processes import fault_of
from denas_onnx import program
from denas_onnx.exporter import ONNX
from tests.core.exported import Halves, InStages
from tests.core.exported import model_of as model_of_space

FACTS = {"labels": ["cat", "\N{DOG}"], "normalisation": {"mean": [0.5], "std": [0.25]}}
VIT: dict[str, Any] = {
    **{"image_size": 16, "patch_size": 4, "depths": [1, 2], "embed_dims": [16, 24], "mlp_ratios": [2.0]},
    **{"heads": [1, 2], "head_size": 8, "max_relative_position": 3},
}
SPACES = {
    "cnn": ("cv/cnn", {"image_size": 16, "max_layers": 1}),
    "inverted": ("cv/cnn", {"image_size": 16, "max_layers": 1, "inverted": True, "squeeze_excitation": True}),
    "vit": ("cv/vit", VIT),
    "plain-vit": ("cv/vit", {**VIT, "relative_position": False, "global_pooling": False}),
}


def model_of(name: str, *, seed: int = 0) -> TrainedModel:
    id, options = SPACES[name]
    space: SearchSpace = Registry.discover().create("space", id, options)
    arch = space.sample(random.Random(seed))
    network = space.load(build_network(space, arch), arch, seed=0).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        # As after training: statistics that are not those of a fresh network.
        for key, tensor in network.state_dict().items():
            if key.endswith("running_mean"):
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
            if key.endswith("running_var"):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return TrainedModel(space=space, arch=arch, network=network, facts=FACTS)


def onnx_exporter(**options: Any) -> ONNX:
    return ONNX(**options).named("onnx/onnx")


@pytest.mark.parametrize("name", SPACES)
def test_a_network_of_each_space_gives_its_own_outputs(name: str, tmp_path: Path) -> None:
    done = export_model(onnx_exporter(), model_of(name), tmp_path / "out")
    assert 0 < done.difference <= 1e-5
    assert {path.name for path in done.directory.iterdir()} == {"model.onnx", "card.json"}
    onnx.checker.check_model(str(done.path), full_check=True)


def test_each_stage_of_a_network_is_a_file_that_says_what_it_takes(tmp_path: Path) -> None:
    model = model_of_space(InStages().named("sample/stages"), facts=FACTS)
    done = export_model(onnx_exporter(), model, tmp_path / "out")
    assert done.path == done.directory
    assert {path.name for path in done.directory.iterdir()} == {"first.onnx", "second.onnx", "card.json"}
    files = {name: onnx.load(str(done.path / f"{name}.onnx")) for name in ("first", "second")}
    names = {
        name: ([value.name for value in file.graph.input], [value.name for value in file.graph.output])
        for name, file in files.items()
    }
    assert names == {"first": (["x"], ["middle"]), "second": (["middle"], ["logits"])}
    # No weight is in both.
    sizes = {
        name: sorted(tuple(each.dims) for each in file.graph.initializer) for name, file in files.items()
    }
    assert sizes == {"first": [(3,), (3, 12)], "second": [(5,), (5, 3)]}
    for file in files.values():
        assert {prop.key: json.loads(prop.value) for prop in file.metadata_props}["labels"] == FACTS["labels"]


def test_a_stage_that_answers_otherwise_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of_space(InStages().named("sample/stages"))
    monkeypatch.setattr(
        model.network,
        "stages",
        lambda: [*Halves().stages()[:1], *type(model.network).stages(model.network)[1:]],
    )
    with pytest.raises(PluginError, match="nothing is kept"):
        export_model(onnx_exporter(), model, tmp_path / "out")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("opset", [18, 20])
def test_inputs_outputs_opset_and_facts_are_in_the_file(opset: int, tmp_path: Path) -> None:
    model = model_of("cnn")
    file = onnx.load(str(onnx_exporter(opset=opset).write(model, tmp_path)))
    assert [(entry.domain, entry.version) for entry in file.opset_import if not entry.domain] == [("", opset)]
    shapes = {
        value.name: [
            dimension.dim_param or dimension.dim_value for dimension in value.type.tensor_type.shape.dim
        ]
        for value in (*file.graph.input, *file.graph.output)
    }
    assert shapes == {"x": ["batch", 3, 16, 16], "logits": ["batch", 10]}
    assert {tensor.data_type for tensor in file.graph.initializer} <= {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.INT64,
    }
    facts = {entry.key: json.loads(entry.value) for entry in file.metadata_props}
    described = facts.pop("preprocessing")
    assert facts == {**FACTS, "space": "cv/cnn", "key": model.arch.key}
    assert described == {
        "schema": "denas.preprocessing/1",
        "inputs": [{"name": "x", "shape": ["batch", 3, 16, 16], "dtype": "float32"}],
        "outputs": ["logits"],
        "labels": FACTS["labels"],
        "inside": False,
    }


def test_a_file_runs_where_denas_is_not(tmp_path: Path) -> None:
    model = model_of("vit")
    done = export_model(onnx_exporter(), model, tmp_path / "out")
    x = model.space.batch(3, seed=4).inputs["x"]
    with torch.no_grad():
        numpy.savez(tmp_path / "batch.npz", x=x.numpy(), logits=model.network(x).numpy())
    code = f"""{done.usage}
import json, sys, numpy
batch = numpy.load({str(tmp_path / "batch.npz")!r})
(logits,) = session.run(None, {{"x": batch["x"]}})
assert abs(logits - batch["logits"]).max() <= 1e-5 * abs(batch["logits"]).max()
assert json.loads(session.get_modelmeta().custom_metadata_map["labels"])[0] == "cat"
assert not [name for name in sys.modules if name.startswith("denas") or name == "torch"]
"""
    assert fault_of(code, absent=["denas_core", "torch"]) == ""
    assert fault_of(code.replace("custom_metadata_map", "no_such_map"), absent=["denas_core"]) != ""


def test_a_file_that_answers_otherwise_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = program.save_program

    def damaged(found: Any, path: Path, *, weights: int) -> None:
        save(found, path, weights=weights)
        file = onnx.load(str(path))
        tensor = file.graph.initializer[0]
        values = onnx.numpy_helper.to_array(tensor) * 1.05
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype("float32"), tensor.name))
        onnx.save(file, str(path))

    monkeypatch.setattr(program, "save_program", damaged)
    with pytest.raises(PluginError, match="'onnx/onnx' wrote differs from the network by"):
        export_model(onnx_exporter(), model_of("cnn"), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_large_weights_lie_beside_the_file_and_move_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "LARGEST_FILE", 1000)
    done = export_model(onnx_exporter(), model_of("cnn"), tmp_path / "out")
    (weights,) = {path.name for path in done.directory.iterdir()} - {"model.onnx", "card.json"}
    assert (done.directory / weights).stat().st_size > done.path.stat().st_size
    moved = done.directory.rename(tmp_path / "moved")
    found = onnx_exporter().outputs(moved / "model.onnx", model_of("cnn").space.batch(2, seed=0))
    assert found["logits"].shape == (2, 10)


def test_an_operator_without_a_translation_is_told_in_one_line(tmp_path: Path) -> None:
    model = model_of("cnn")

    class Inverse(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.special.i1e(x)

    network: Any = model.network
    network.head = torch.nn.Sequential(network.head, Inverse())
    with pytest.raises(ConfigError, match="cannot be expressed in ONNX opset 18") as caught:
        export_model(onnx_exporter(), model, tmp_path / "out")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    assert not list(tmp_path.iterdir())
