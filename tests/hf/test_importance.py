"""Importance: which members of a checkpoint are kept, and how plugins add other rules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from denas_core.errors import ConfigError, PluginError
from denas_core.pretrained.layout import Axis
from denas_hf.space import Auto

from .inherited import features_of, full_features, inheriting_network
from .planted import SILENT, changed, silence_block, silence_neurons
from .tiny_models import CONFIGS, checkpoint, inheriting_space, made

BY_ACTIVATIONS = ("activation", "contribution", "taylor")


@pytest.mark.parametrize("by", BY_ACTIVATIONS)
def test_neurons_that_do_nothing_are_left_out_and_nothing_is_lost(by: str, tmp_path: Path) -> None:
    space = made(model=str(changed("bert", tmp_path, silence_neurons)), inherit=by)
    small = features_of(space, inheriting_network(space, {"intermediate": 32}))
    assert torch.allclose(small, full_features(space), atol=1e-5)
    config = inheriting_network(space, {"intermediate": 32}).config
    kept = space.start.inheritance.choice(config).kept
    assert all(set(kept[Axis("ffn", "layer", block)]).isdisjoint(SILENT) for block in range(3))


@pytest.mark.parametrize("by", BY_ACTIVATIONS)
def test_a_layer_that_does_nothing_is_left_out(by: str, tmp_path: Path) -> None:
    space = made(model=str(changed("gpt2", tmp_path, silence_block)), inherit=by)
    assert torch.allclose(
        features_of(space, inheriting_network(space, {"layers": 2})), full_features(space), atol=1e-5
    )


@pytest.mark.parametrize("name", ["gpt2", "llama", "t5", "vit", "wav2vec2", "deberta", "albert"])
def test_every_kind_of_family_has_importance_of_heads_and_neurons(name: str) -> None:
    space = inheriting_space(name, inherit="taylor")
    numbers = space.calibrated.inheritance._importance
    assert numbers is not None
    axes = [axis for axis in numbers if axis.name in ("ffn", "heads", "groups", "encoder_heads")]
    magnitudes = inheriting_space(name, inherit="magnitude").calibrated.inheritance._importance
    assert magnitudes is not None and axes
    assert all(not torch.equal(numbers[axis], magnitudes[axis]) for axis in axes)
    assert all((tensor >= 0).all() and tensor.isfinite().all() for tensor in numbers.values())


def test_made_texts_are_the_same_each_time_and_have_words_of_the_tokenizer(tmp_path: Path) -> None:
    folder = changed("bert", tmp_path, lambda key, parameter: None)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "!", "1", *(f"word{n}" for n in range(40))]
    (folder / "vocab.txt").write_text("\n".join(words))
    batches = [made(model=str(folder)).calibrated.checkpoint.batches for _ in range(2)]
    assert all(
        torch.equal(one.inputs["input_ids"], other.inputs["input_ids"])
        for one, other in zip(*batches, strict=True)
    )
    assert sum(len(batch.inputs["input_ids"]) for batch in batches[0]) == 128
    for batch in batches[0]:
        tokens = batch.inputs["input_ids"]
        assert (tokens[:, 0] == 2).all() and (tokens[:, -1] == 3).all()
        assert tokens[:, 1:-1].min() >= 6 and tokens.max() < len(words)


def test_an_importance_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no importance 'activations'; did you mean 'activation'"):
        Auto(config=CONFIGS["bert"], inherit="activations")


PLUGIN = """
import torch
from denas_core.pretrained import Axis
from denas_hf.importance import Importance

class Last(Importance):
    def members(self, checkpoint):
        return {Axis("ffn", "layer", block): torch.arange(SIZE) for block in range(3)}
"""


@pytest.mark.parametrize("size", [64, 5])
def test_a_plugin_adds_an_importance_by_an_entry_point(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"denas_test_last_{size}"
    (tmp_path / f"{module}.py").write_text(PLUGIN.replace("SIZE", str(size)))
    facts = tmp_path / f"{module}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[denas_hf.importance]\nlast = {module}:Last\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    space = made(model=str(checkpoint("bert")), inherit="last")
    if size == 5:
        with pytest.raises(PluginError, match=r"'last' gives the axis 'ffn\[layer 0\]' \[5\] numbers"):
            inheriting_network(space, {"intermediate": 32})
    else:
        network = inheriting_network(space, {"intermediate": 32})
        taken = network.encoder.layer[0].intermediate.dense.weight
        full = inheriting_network(space, {}).encoder.layer[0].intermediate.dense.weight
        assert torch.equal(taken, full[32:])
    sys.modules.pop(module, None)
