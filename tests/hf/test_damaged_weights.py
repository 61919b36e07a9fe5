"""Weights are checked before a search begins, and names of wrapped networks are understood."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.core.toy_searches import denas_here

from .tiny_models import checkpoint, made


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda tensor: tensor.index_fill(0, torch.tensor([1]), float("nan")), "not finite"),
        (lambda tensor: tensor.index_fill(0, torch.tensor([1]), float("inf")), "not finite"),
        (lambda tensor: tensor[:-1].clone(), r"has shape \[31, 32\], but a BertModel .* has \[32, 32\]"),
    ],
)
def test_a_search_does_not_begin_with_damaged_weights(change: Any, text: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(checkpoint("bert"), tmp_path / "checkpoint")
    weights = load_file(folder / "model.safetensors")
    name = "encoder.layer.1.attention.self.query.weight"
    save_file({**weights, name: change(weights[name])}, folder / "model.safetensors")
    done = denas_here(
        "search",
        "hf/auto",
        "--set",
        f"space.model={folder}",
        "--out",
        str(tmp_path / "run"),
    )
    assert done.returncode == 2 and re.search(f"tensor '{name}' .*{text}", done.stderr), done.stderr
    assert not (tmp_path / "run").exists()


def test_names_of_wrapped_networks_are_understood(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(checkpoint("bert"), tmp_path / "checkpoint")
    weights = load_file(folder / "model.safetensors")
    save_file(
        {f"module._orig_mod.{name}": tensor for name, tensor in weights.items()}, folder / "model.safetensors"
    )
    found = made(model=str(folder)).start.pretrained.weights()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in found.items())
