"""Many model types without a table: what can be made smaller is searched, inherited, cut and exported."""

from __future__ import annotations

import dataclasses
import functools
import random
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError
from denas_core.models.export import export_model
from denas_core.pretrained.silence import silent_transformers
from denas_core.registry.registry import Registry
from denas_hf.space import Auto

from .inherited import inheriting_network, network_of, silenced
from .model_types import REFUSED, SHRINKABLE, checkpoint_of, values_of
from .tiny_models import made

pytestmark = pytest.mark.numerics


def test_more_than_fifty_model_types_can_be_made_smaller() -> None:
    assert len({**SHRINKABLE, **REFUSED}) == 57
    assert len(SHRINKABLE) == 52


@functools.cache
def space_of_type(name: str) -> Auto:
    return made(model=str(checkpoint_of(name)))


@pytest.mark.parametrize("name", SHRINKABLE)
def test_the_whole_network_is_the_checkpoint_bit_for_bit(name: str) -> None:
    space = space_of_type(name)
    original = space.start.original
    batch = space.batch(2, seed=0)
    with silent_transformers():
        from transformers import AutoModel

        stock = AutoModel.from_pretrained(
            checkpoint_of(name), attn_implementation=original.family.attention
        ).eval()
    inputs = original.family.modality.completed(stock.config, batch.inputs)
    with torch.no_grad():
        expected = stock(**inputs, **original.family.arguments).last_hidden_state
    found = _outputs(space, inheriting_network(space, {}))[0]
    # Norms that transformers writes out are replaced by equal ones of torch, which round differently.
    if any(hasattr(module, "variance_epsilon") for module in stock.modules()):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    else:
        assert torch.equal(found, expected)


@pytest.mark.parametrize("name", SHRINKABLE)
def test_a_cut_network_agrees_with_the_masked_one(name: str) -> None:
    space = space_of_type(name)
    full, knobs = space.dimensions(space.full()), {knob.name: knob.values for knob in space.knobs()}
    cuts = [("intermediate", ("ffn",), "ffn.out", full.intermediate // 2)]
    if space.start.original.is_head_free:
        cuts.append(("heads", ("heads", "groups"), "attention.out", full.heads // 2))
    for knob, axes, kind, size in cuts:
        if size not in knobs.get(knob, ()):
            continue
        config = space.start.original.resized(dataclasses.replace(full, **{knob: size}))
        twins = space.start.original.family.twins
        own = (*axes, *(twin for twin, axis in twins.items() if axis in axes))
        masked = silenced(space, space.start.original.sizes(config), own, kind=kind, by="leading")
        expected = _outputs(space, network_of(space, {}, masked))
        found = _outputs(space, inheriting_network(space, {knob: size}))
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SHRINKABLE)
def test_a_smaller_network_is_counted_and_exported(name: str, tmp_path: Path) -> None:
    space = space_of_type(name)
    arch = space.sample(random.Random(2))
    network = inheriting_network(space, arch.values).eval()
    assert space.cost(arch)["params"] == sum(parameter.numel() for parameter in network.parameters())
    model = TrainedModel(space=space, arch=arch, network=network, facts={})
    done = export_model(Registry.discover().create("exporter", "huggingface"), model, tmp_path / "out")
    assert done.difference <= 1e-5
    assert done.usage.startswith("# tier A: transformers alone loads it")
    expected = _outputs(space, network)
    assert all(torch.isfinite(output).all() for output in expected)
    torch.testing.assert_close(_stock(space, done.path), expected[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_made_smaller_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be made smaller") as caught:
        made(config=values_of(name))
    assert REFUSED[name][1] in str(caught.value) and "\n" not in str(caught.value)


def _outputs(space: Auto, network: nn.Module) -> list[Tensor]:
    with torch.no_grad():
        return list(space.forward(network.eval(), space.batch(2, seed=0)).logits.values())


def _stock(space: Auto, folder: Path) -> Tensor:
    from transformers import AutoModel

    family = space.start.original.family
    with silent_transformers():
        network = AutoModel.from_pretrained(folder, attn_implementation=family.attention).eval()
    inputs = family.modality.completed(network.config, space.batch(2, seed=0).inputs)
    with torch.no_grad():
        output: Tensor = network(**inputs, **family.arguments).last_hidden_state
    return output
