"""What the space offers: its knobs, its costs, and networks of which only the adapters are trained."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest
import torch

from denas_adapters.space import Adapters
from denas_core.cli import _run
from denas_core.errors import ConfigError
from denas_core.testing import SpaceTests
from tests.hf.tiny_models import CONFIGS, checkpoint

from .spaces import headed, mixed, space_of

FAMILIES = ("bert", "roberta", "distilbert", "albert", "deberta", "gpt2", "llama", "t5", "vit", "wav2vec2")


class TestLora(SpaceTests):
    def make(self) -> Adapters:
        return space_of(per="projection")


class TestScaling(SpaceTests):
    def make(self) -> Adapters:
        return space_of("gpt2", kind="ia3", per="projection")


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("kind", ["lora", "ia3"])
def test_every_network_begins_as_its_checkpoint(name: str, kind: str) -> None:
    space = space_of(name, kind=kind)
    arch = mixed(space)
    full = space.auto.full()
    assert full is not None and space.adapters(arch)
    network = space.load(space.build(arch), arch, seed=0, weights="inherited").eval()
    plain = space.auto.load(space.auto.build(full), full, seed=0, weights="inherited").eval()
    batch = space.batch(2, seed=0)
    with torch.no_grad():
        found, expected = space.forward(network, batch), space.auto.forward(plain, batch)
    torch.testing.assert_close(found.features, expected.features, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_costs_are_those_that_are_counted_on_the_whole_network(name: str) -> None:
    space = space_of(name, per="projection")
    for seed in range(3):
        arch = space.sample(random.Random(seed))
        assert space.cost(arch) == space.counted_cost(arch)


def test_trainable_parameters_are_rank_times_inputs_and_outputs() -> None:
    space = space_of(per="projection")
    values = {knob.name: 0 for knob in space.knobs()}
    arch = space.architecture({**values, "layer2.query": 4, "layer3.up": 2})
    # A query has 32 inputs and outputs, the first feed-forward layer 32 inputs and 64 outputs.
    assert space.cost(arch)["trainable_params"] == 4 * (32 + 32) + 2 * (32 + 64)
    smallest, full = space.smallest(), space.full()
    assert smallest is not None and full is not None
    assert space.cost(smallest)["trainable_params"] == 0
    assert space.cost(full)["trainable_params"] == 3 * 4 * (4 * 64 + 2 * 96)


def test_scaling_has_one_number_for_each_feature() -> None:
    space = space_of(kind="ia3", per="projection")
    values = {knob.name: 0 for knob in space.knobs()}
    assert {knob.values for knob in space.knobs()} == {(0, 1)}
    arch = space.architecture({**values, "layer1.query": 1, "layer1.up": 1, "layer1.down": 1})
    # The second feed-forward layer scales its 64 inputs.
    assert space.cost(arch)["trainable_params"] == 32 + 64 + 64


@pytest.mark.parametrize("kind", ["lora", "ia3"])
def test_only_adapters_and_head_can_be_trained(kind: str) -> None:
    space = space_of(kind=kind)
    network = headed(space, mixed(space))
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert {"classifier.weight", "classifier.bias"} < trained
    others = trained - {"classifier.weight", "classifier.bias"}
    assert others and all(".lora_" in name or ".ia3_l" in name for name in others)


def test_what_the_checkpoint_lacks_is_trained_and_counted(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(checkpoint("bert"), tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if "pooler" not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    space = Adapters(model=str(folder), seq_len=9).named("adapters/hf")
    smallest = space.smallest()
    assert smallest is not None and space.cost(smallest)["trainable_params"] == 32 * 32 + 32
    again = Adapters(**space.portable()).named("adapters/hf")
    assert again.cost(again.architecture(smallest.as_dict()))["trainable_params"] == 32 * 32 + 32


def test_knobs_have_the_granularity_that_was_asked_for() -> None:
    blocks, projections = space_of(), space_of(per="projection")
    assert [knob.name for knob in blocks.knobs()][:2] == ["layer1.attention", "layer1.feed_forward"]
    assert len(blocks.knobs()) == 6 and len(projections.knobs()) == 18
    together = space_of(layers_together=2)
    assert [knob.name for knob in together.knobs()] == [
        "layers1to2.attention",
        "layers1to2.feed_forward",
        "layer3.attention",
        "layer3.feed_forward",
    ]
    arch = together.uniform(2)
    assert len(together.adapters(arch)) == 18 and set(together.adapters(arch).values()) == {2}
    assert next(knob.name for knob in space_of("gpt2", per="projection").knobs()) == "layer1.query_key_value"


def test_a_network_is_known_by_its_checkpoint_and_not_by_its_path(tmp_path: Path) -> None:
    space = space_of()
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "elsewhere")
    moved = Adapters(**{**space.options(), "model": str(folder)}).named("adapters/hf")
    assert mixed(moved).key == mixed(space).key
    portable = Adapters(**space.portable()).named("adapters/hf")
    assert mixed(portable).key == mixed(space).key
    # The same knobs mean other adapters.
    assert mixed(space_of(projections=["query", "up"])).key != mixed(space).key


def test_the_network_that_people_use_without_a_search_is_uniform() -> None:
    space = space_of()
    found = space.familiar(space.cost(space.uniform(2)))
    assert found == ("adapters of one size", space.uniform(2))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"model": "/nowhere/model"}, "there is no checkpoint '/nowhere/model'"),
        ({"projections": ["querry"]}, "does not have; did you mean 'query'?"),
        ({"ranks": [4, 2]}, "ranks [4, 2] must be two or more different numbers from 0"),
        ({"ranks": [4]}, "ranks [4] must be two or more"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, object], text: str) -> None:
    with pytest.raises((ValueError, ConfigError)) as caught:
        space_of(**options) if "model" not in options else Adapters(**options)  # type: ignore[arg-type]
    assert text in str(caught.value)


def test_a_configuration_without_weights_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIGS["bert"]))
    command = ["search", "adapters/hf", "--set", f"space.model={tmp_path}", "--budget", "1"]
    assert _run([*command, "--out", str(tmp_path / "run")], debug=False) == 2
    error = capsys.readouterr().err
    assert "has no weights, and adapters need a trained network" in error and error.count("\n") == 1


def test_a_missing_peft_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    space = space_of()
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(
        ConfigError, match="adapters need peft, which is not installed: pip install denas-adapters"
    ):
        space.build(mixed(space))
