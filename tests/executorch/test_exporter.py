"""ExecuTorch programs: the same outputs, in one file, with limits of sizes, labels and normalisation inside."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core import SearchSpace
from denas_core.errors import ConfigError, PluginError
from denas_core.models import export_model
from denas_core.registry.registry import Registry
from denas_core.testing.samples.spaces import SampleMLP, SampleTransformer
from denas_core.values.batch import Batch
from denas_executorch import program
from denas_executorch.exporter import ExecuTorch
from tests.core.exported import InStages, Sequences, model_of, sample_model

pytest.importorskip("executorch")

VIT: dict[str, Any] = {
    **{"image_size": 16, "patch_size": 4, "depths": [1, 2], "embed_dims": [16, 24], "mlp_ratios": [2.0]},
    **{"heads": [1, 2], "head_size": 8, "max_relative_position": 3},
}


def exporter(**options: Any) -> ExecuTorch:
    return ExecuTorch(**options).named("executorch/executorch")


def facts_of(path: Path) -> dict[str, Any]:
    from executorch.runtime import Runtime  # type: ignore[import-untyped]

    found: dict[str, Any] = json.loads(Runtime.get().load_program(path).load_method("denas").execute([])[0])
    return found


def space_of(name: str) -> SearchSpace:
    if name == "sample/transformer":
        return SampleTransformer().named(name)
    options = {"cv/cnn": {"image_size": 16, "max_layers": 1}, "cv/vit": VIT, "asr/keywords": {}}
    return Registry.discover().create("space", name, options[name])


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["cv/cnn", "cv/vit", "asr/keywords", "sample/transformer"])
def test_a_network_gives_its_own_outputs(name: str, tmp_path: Path) -> None:
    done = export_model(exporter(), model_of(space_of(name)), tmp_path / "out")
    assert 0 < done.difference <= 1e-5
    assert {path.name for path in done.directory.iterdir()} == {"model.pte", "card.json"}


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_program_says_what_its_network_is_and_how_large_a_batch_may_be(
    batch_size: int, tmp_path: Path
) -> None:
    model = sample_model()
    done = export_model(exporter(batch_size=batch_size), model, tmp_path / "out")
    facts = facts_of(done.path)
    assert facts.items() >= {**model.facts, "space": "sample/mlp", "key": model.arch.key}.items()
    assert facts["methods"] == [{"name": "forward", "inputs": ["x"], "outputs": ["logits"]}]
    assert facts["largest"] == {"batch": batch_size}
    assert json.loads((tmp_path / "out/card.json").read_text())["preprocessing"] == facts["preprocessing"]


def test_dimensions_of_any_size_have_a_limit(tmp_path: Path) -> None:
    space = Sequences().named("sample/sequences")
    model = model_of(space)
    done = export_model(exporter(longest=2), model, tmp_path / "out")
    assert facts_of(done.path)["largest"] == {"batch": 1, "positions": 16}
    run = exporter(longest=2).opened(done.path)

    def batch(positions: int) -> Batch:
        return Batch(inputs={"x": torch.rand(2, positions, 4), "weight": torch.rand(2, positions, 1)})

    for positions in (3, 16):
        given = batch(positions)
        expected = space.forward(model.network, given).logits["logits"]
        assert torch.allclose(run(given)["logits"], expected, atol=1e-5)
    with pytest.raises(
        ConfigError, match=r"takes at most 16 positions in 'x', and this input has 17; .*export\.longest"
    ):
        run(batch(17))


def test_each_stage_of_a_network_is_a_method(tmp_path: Path) -> None:
    done = export_model(exporter(), model_of(InStages().named("sample/stages")), tmp_path / "out")
    assert {path.name for path in done.directory.iterdir()} == {"model.pte", "card.json"}
    assert facts_of(done.path)["methods"] == [
        {"name": "first", "inputs": ["x"], "outputs": ["middle"]},
        {"name": "second", "inputs": ["middle"], "outputs": ["logits"]},
    ]


def test_a_program_that_answers_otherwise_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = program.program_bytes

    def damaged(modules: Mapping[str, Any], **options: Any) -> bytes:
        changed = copy.deepcopy(dict(modules))
        for module in changed.values():
            for weight in module.network.parameters():
                weight.data *= 1.05
        return written(changed, **options)

    monkeypatch.setattr(program, "program_bytes", damaged)
    with pytest.raises(PluginError, match="'executorch/executorch' wrote differs from the network by"):
        export_model(exporter(), sample_model(), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_an_operator_without_a_translation_gives_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = model_of(SampleMLP().named("sample/mlp"))

    class Bessel(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.special.i1e(x)

    network: Any = model.network
    name, last = list(network.named_children())[-1]
    setattr(network, name, torch.nn.Sequential(last, Bessel()))
    with pytest.raises(ConfigError, match=r"special_i1e.*export it to torch-export") as caught:
        export_model(exporter(), model, tmp_path / "out")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr().err == ""


def test_a_file_that_is_not_a_program_gives_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.pte"
    path.write_bytes(b"not a program" * 100)
    with pytest.raises(RuntimeError, match="Failed to load program") as caught:
        exporter().opened(path)
    assert "\n" not in str(caught.value)
