"""Trained adapters leave as folders that peft and transformers load without DE-NAS, with the same outputs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from denas_core import Registry, TrainedModel
from denas_core.errors import ConfigError, PluginError
from denas_core.models import export_model
from denas_core.models.export import Export
from tests.hf.test_no_paths import contents
from tests.hf.tiny_models import checkpoint

from .spaces import mixed, space_of, trained


def exported(model: TrainedModel, folder: Path, form: str, **options: Any) -> Export:
    return export_model(Registry.discover().create("exporter", f"adapters/{form}", options), model, folder)


@pytest.mark.parametrize("kind", ["lora", "ia3"])
@pytest.mark.parametrize("name", ["bert", "roberta", "gpt2", "llama", "vit"])
def test_peft_loads_an_export_over_the_original_checkpoint(name: str, kind: str, tmp_path: Path) -> None:
    import transformers
    from peft import PeftModel

    space = space_of(name, kind=kind, per="projection")
    model = trained(space, mixed(space))
    done = exported(model, tmp_path / "out", "peft")
    assert done.difference <= 1e-5
    facts = json.loads((done.path / "adapter.json").read_text())
    base = getattr(transformers, facts["class"]).from_pretrained(checkpoint(name), num_labels=2)
    if getattr(base.config, "pad_token_id", 0) is None:
        base.config.pad_token_id = model.network.config.pad_token_id
    network = PeftModel.from_pretrained(base, done.path).eval()
    batch = space.batch(3, seed=5)
    with torch.no_grad():
        expected = space.forward(model.network, batch).logits["logits"]
        found = network(**batch.inputs).logits
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_the_adapter_has_no_weight_of_the_checkpoint_and_the_base_has_all(tmp_path: Path) -> None:
    space = space_of()
    done = exported(trained(space, mixed(space)), tmp_path / "out", "peft")
    names = set(load_file(done.path / "adapter_model.safetensors"))
    assert names and all(".lora_" in name or ".classifier." in name for name in names)
    base, original = (
        load_file(done.path / "base/model.safetensors"),
        load_file(checkpoint("bert") / "model.safetensors"),
    )
    assert base.keys() == original.keys()
    assert all(torch.equal(tensor, original[name]) for name, tensor in base.items())


def test_a_named_base_is_not_copied_and_the_proof_uses_it(tmp_path: Path) -> None:
    space = space_of()
    model = trained(space, mixed(space))
    done = exported(model, tmp_path / "out", "peft", base=str(checkpoint("bert")))
    assert not (done.path / "base").exists() and done.difference <= 1e-5
    assert json.loads((done.path / "adapter_config.json").read_text())["base_model_name_or_path"] == "bert"
    with pytest.raises(
        ConfigError, match=r"the adapters do not fit the checkpoint .*electra.* name the one with which"
    ):
        exported(model, tmp_path / "other", "peft", base=str(checkpoint("electra-tied")))
    changed = shutil.copytree(checkpoint("bert"), tmp_path / "changed")
    weights = load_file(changed / "model.safetensors")
    weights["encoder.layer.1.output.dense.weight"] *= 2
    save_file(weights, changed / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(PluginError, match="nothing is kept"):
        exported(model, tmp_path / "other", "peft", base=str(changed))
    assert not (tmp_path / "other").exists()


def test_an_answer_by_position_is_exported_too(tmp_path: Path) -> None:
    space = space_of()
    model = trained(space, mixed(space), by_position=True)
    assert exported(model, tmp_path / "peft", "peft").difference <= 1e-5
    assert exported(model, tmp_path / "merged", "merged").difference <= 1e-5


@pytest.mark.parametrize("kind", ["lora", "ia3"])
@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_merged_adapters_are_a_plain_checkpoint(name: str, kind: str, tmp_path: Path) -> None:
    space = space_of(name, kind=kind)
    done = exported(trained(space, mixed(space)), tmp_path / "out", "merged")
    assert done.difference <= 1e-5
    names = set(load_file(done.path / "model.safetensors"))
    assert not [name for name in names if "lora" in name or "ia3" in name or "base_layer" in name]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["peft", "merged"])
def test_the_lines_of_usage_need_no_denas(form: str, tmp_path: Path) -> None:
    space = space_of()
    done = exported(trained(space, mixed(space)), tmp_path / "out", form)
    block = "import sys\nsys.modules['denas_core'] = sys.modules['denas_adapters'] = None\n"
    found = subprocess.run(
        [sys.executable, "-c", block + done.usage], capture_output=True, text=True, cwd=tmp_path, timeout=300
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("form", ["peft", "merged"])
def test_no_file_of_an_export_holds_a_path_of_this_machine(form: str, tmp_path: Path) -> None:
    space = space_of()
    done = exported(trained(space, mixed(space)), tmp_path / "out", form)
    here = {str(tmp_path), str(Path.home()), "/tmp/", str(Path.cwd())}
    found = {
        (name, path)
        for name, content in contents(done.directory)
        for path in here
        if path.encode() in content
    }
    assert found == set()


def test_a_network_without_adapters_has_only_a_head(tmp_path: Path) -> None:
    space = space_of()
    smallest = space.smallest()
    assert smallest is not None
    model = trained(space, smallest)
    with pytest.raises(ConfigError, match="no adapter, only a head; export it with --to adapters/merged"):
        exported(model, tmp_path / "peft", "peft")
    assert exported(model, tmp_path / "merged", "merged").difference <= 1e-5


@pytest.mark.parametrize("form", ["peft", "merged"])
def test_other_networks_are_refused(form: str, tmp_path: Path) -> None:
    space = space_of()
    full = space.auto.full()
    assert full is not None
    network = space.auto.load(space.auto.build(full), full, seed=0).eval()
    model = TrainedModel(space=space.auto, arch=full, network=network)
    with pytest.raises(ConfigError, match="networks of 'hf/auto' have no adapters"):
        exported(model, tmp_path / "out", form)


def test_a_text_to_text_network_is_refused(tmp_path: Path) -> None:
    space = space_of("t5")
    arch = mixed(space)
    network = space.load(space.build(arch), arch, seed=0, weights="inherited").eval()
    with pytest.raises(ConfigError, match="a T5Model cannot be exported as an adapter"):
        exported(TrainedModel(space=space, arch=arch, network=network), tmp_path / "out", "peft")
