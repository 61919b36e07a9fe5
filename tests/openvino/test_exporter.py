"""OpenVINO models: the same outputs, for any batch, without DE-NAS, with labels and normalisation inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import openvino
import pytest
import torch

from denas_core import SearchSpace
from denas_core.errors import ConfigError, PluginError
from denas_core.models.export import export_model
from denas_core.registry.registry import Registry
from denas_core.testing.checks.processes import fault_of
from denas_core.testing.samples.spaces import SampleTransformer
from denas_openvino.exporter import FACTS, OpenVINO
from tests.core.exported import InStages, model_of, sample_model

# OpenVINO once ended a process in which thousands of other tests had run before.
pytestmark = pytest.mark.nightly

VIT: dict[str, Any] = {
    **{"image_size": 16, "patch_size": 4, "depths": [1, 2], "embed_dims": [16, 24], "mlp_ratios": [2.0]},
    **{"heads": [1, 2], "head_size": 8, "max_relative_position": 3},
}


def exporter() -> OpenVINO:
    return OpenVINO().named("openvino/openvino")


def space_of(name: str) -> SearchSpace:
    if name == "sample/transformer":
        return SampleTransformer().named(name)
    options = {"cv/cnn": {"image_size": 16, "max_layers": 1}, "cv/vit": VIT}
    return Registry.discover().create("space", name, options[name])


@pytest.mark.parametrize("name", ["cv/cnn", "cv/vit", "sample/transformer"])
def test_a_network_gives_its_own_outputs(name: str, tmp_path: Path) -> None:
    done = export_model(exporter(), model_of(space_of(name)), tmp_path / "out")
    assert 0 < done.difference <= 1e-5
    assert {path.name for path in done.directory.iterdir()} == {"model.xml", "model.bin", "card.json"}


def test_weights_are_in_float32_and_facts_in_the_file(tmp_path: Path) -> None:
    model = sample_model()
    path = exporter().write(model, tmp_path)
    found = openvino.Core().read_model(path)
    kinds = {
        node.get_element_type().get_type_name()
        for node in found.get_ops()
        if node.get_type_name() == "Constant" and len(node.shape) == 2
    }
    assert kinds == {"f32"}
    facts = {**model.facts, "space": "sample/mlp", "key": model.arch.key}
    assert {name: json.loads(found.get_rt_info([FACTS, name]).astype(str)) for name in facts} == facts
    assert found.inputs[0].any_name == "x" and found.inputs[0].partial_shape[0].is_dynamic


def test_each_stage_of_a_network_is_a_model(tmp_path: Path) -> None:
    done = export_model(exporter(), model_of(InStages().named("sample/stages")), tmp_path / "out")
    names = {f"{name}.{kind}" for name in ("first", "second") for kind in ("xml", "bin")}
    assert {path.name for path in done.path.iterdir()} == {*names, "card.json"}
    first, second = (openvino.Core().read_model(done.path / f"{name}.xml") for name in ("first", "second"))
    assert (first.inputs[0].any_name, first.outputs[0].any_name) == ("x", "middle")
    assert (second.inputs[0].any_name, second.outputs[0].any_name) == ("middle", "logits")


def test_a_model_runs_where_denas_is_not(tmp_path: Path) -> None:
    model = sample_model()
    done = export_model(exporter(), model, tmp_path / "out")
    x = model.space.batch(3, seed=4).inputs["x"]
    with torch.no_grad():
        numpy.savez(tmp_path / "batch.npz", x=x.numpy(), logits=model.network(x).numpy())
    code = f"""import sys; sys.modules["openvino_telemetry"] = None
{done.usage}
import numpy
batch = numpy.load({str(tmp_path / "batch.npz")!r})
logits = network({{"x": batch["x"]}})["logits"]
assert abs(logits - batch["logits"]).max() <= 1e-5 * abs(batch["logits"]).max()
assert not [name for name in sys.modules if name.startswith("denas") or name == "torch"]
"""
    assert fault_of(code, absent=["denas_core", "torch"]) == ""
    assert fault_of(code.replace('["logits"]', '["none"]'), absent=["denas_core"]) != ""


def test_a_model_that_answers_otherwise_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = openvino.save_model

    def damaged(found: Any, path: Path, **options: Any) -> None:
        save(found, path, **options)
        weights = path.with_suffix(".bin")
        values = numpy.frombuffer(weights.read_bytes(), dtype="float32")
        weights.write_bytes((values * 1.05).astype("float32").tobytes())

    monkeypatch.setattr(openvino, "save_model", damaged)
    with pytest.raises(PluginError, match="'openvino/openvino' wrote differs from the network by"):
        export_model(exporter(), sample_model(), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_an_operator_without_a_translation_gives_one_line(tmp_path: Path) -> None:
    model = sample_model()

    class Bessel(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.special.i1e(x)

    network: Any = model.network
    name, last = list(network.named_children())[-1]
    setattr(network, name, torch.nn.Sequential(last, Bessel()))
    with pytest.raises(ConfigError, match="cannot convert this network of 'sample/mlp'") as caught:
        export_model(exporter(), model, tmp_path / "out")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    assert not list(tmp_path.iterdir())
