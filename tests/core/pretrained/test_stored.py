"""Weights in files are read one tensor at a time, however many layers there are."""

from __future__ import annotations

import dataclasses
import math
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from denas_core.pretrained.checkpoint import Pretrained
from denas_core.pretrained.inheritance import Choice, inherited, member_importance, take
from denas_core.pretrained.layout import Axis, Layout
from denas_core.pretrained.stored import Stored, StoredWeights
from tests.core.tiny_checkpoint import save

LAYOUT = Layout({"layer.{layer}.weight": "ffn[layer] hidden", "embed": "_ hidden"})


class Watched:
    """Counts the tensors of a source that are in memory at the same time."""

    def __init__(self) -> None:
        self.now = self.most = self.reads = 0

    def entry(self, name: str, *shape: int) -> Stored:
        def read() -> Tensor:
            tensor = torch.full(shape, float(len(name)))
            self.now, self.reads = self.now + 1, self.reads + 1
            self.most = max(self.most, self.now)
            weakref.finalize(tensor, self.drop)
            return tensor

        return Stored(shape, torch.float32, name, read)

    def drop(self) -> None:
        self.now -= 1

    def network(self, layers: int) -> StoredWeights:
        names = {f"layer.{index}.weight": (6, 4) for index in range(layers)} | {"embed": (5, 4)}
        return StoredWeights({name: self.entry(name, *shape) for name, shape in names.items()})


def of_importance(source: StoredWeights, sizes: dict[str, int]) -> None:
    member_importance(LAYOUT, source, sizes=sizes)


def of_a_smaller_network(source: StoredWeights, sizes: dict[str, int]) -> None:
    target = {**sizes, "ffn": 3, "hidden": 2}
    taken = inherited(LAYOUT, source, source_sizes=sizes, target_sizes=target, by="magnitude")
    for name in taken:
        assert tuple(taken[name].shape) == taken.entries[name].shape


@pytest.mark.parametrize("work", [of_importance, of_a_smaller_network])
def test_the_number_of_tensors_in_memory_does_not_grow_with_the_layers(
    work: Callable[[StoredWeights, dict[str, int]], None],
) -> None:
    most = {}
    for layers in (2, 40):
        watched = Watched()
        work(watched.network(layers), {"layer": layers, "ffn": 6, "hidden": 4})
        assert watched.reads >= layers
        most[layers] = watched.most
    assert most[2] == most[40] <= 2


def test_shapes_are_known_without_reading() -> None:
    watched = Watched()
    sizes = {"layer": 3, "ffn": 6, "hidden": 4}
    taken = inherited(LAYOUT, watched.network(3), source_sizes=sizes, target_sizes={**sizes, "layer": 2})
    assert set(taken) == {"layer.0.weight", "layer.1.weight", "embed"} and "embed" in taken
    assert watched.reads == 0


def test_files_are_mapped_anew_after_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    config = transformers.LlamaConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, vocab_size=50
    )
    place = save(transformers.LlamaModel(config), tmp_path)
    monkeypatch.setattr("denas_core.pretrained.stored.MAPPED_BYTES", 1000)
    weights = Pretrained.open(str(place)).weights()
    expected = load_file(place / "model.safetensors")
    assert all(torch.equal(weights[name], tensor) for name, tensor in expected.items())


def test_tensors_that_transformers_makes_from_several_ones_have_their_values(tmp_path: Path) -> None:
    import transformers

    config = transformers.MixtralConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_local_experts=3,
        vocab_size=50,
    )
    model: Any = transformers.MixtralModel(config)
    place = save(model, tmp_path)
    expected = model.state_dict()
    stored = load_file(place / "model.safetensors")
    assert stored.keys() != expected.keys(), "experts are stored one by one"
    weights = Pretrained.open(str(place)).weights()
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], tensor) for name, tensor in expected.items())


def test_a_tensor_in_memory_is_given_without_a_copy() -> None:
    tensor = torch.ones(2)
    weights = StoredWeights.of({"a": tensor})
    assert weights["a"] is tensor and StoredWeights.of(weights) is weights


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_numbers_that_are_not_finite_are_found_wherever_they_are(dtype: torch.dtype) -> None:
    numbers = torch.linspace(-6e4, 6e4, 3001).to(dtype)
    assert Stored.of(numbers).is_finite()
    for place in (0, 1500, 3000):
        for other in (math.nan, math.inf, -math.inf):
            damaged = numbers.clone()
            damaged[place] = other
            assert not Stored.of(damaged).is_finite()
    assert Stored.of(numbers[:0]).is_finite()
    assert Stored.of(torch.arange(3)).is_finite()


@pytest.mark.parametrize("kept", [(0, 1, 2), (2, 3), (1, 3)])
def test_parts_of_a_tensor_are_copies_that_are_read_as_float(kept: tuple[int, ...]) -> None:
    weight = torch.arange(24.0).reshape(6, 4).to(torch.bfloat16)
    source = StoredWeights({"embed": dataclasses.replace(Stored.of(weight), as_float=True)})
    layout = Layout({"embed": "_ hidden"})
    part = take(layout, source, Choice({Axis("hidden"): kept}), sizes={"hidden": 4})["embed"]
    assert part.dtype == torch.float32
    assert torch.equal(part, weight[:, list(kept)].float())
    part.zero_()
    assert torch.equal(weight, torch.arange(24.0).reshape(6, 4).to(torch.bfloat16))
