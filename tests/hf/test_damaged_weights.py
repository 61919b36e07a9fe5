"""Weights are checked before a search begins, and names of wrapped networks are understood."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core.pretrained.silence import silent_transformers
from tests.core.toy_searches import denas_here

from .tiny_models import CONFIGS, checkpoint, made


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


def in_shards(folder: Path) -> Path:
    """Write a decoder with a head of its own in many files."""
    import transformers

    with silent_transformers(), torch.random.fork_rng():
        torch.manual_seed(4)
        config = transformers.LlamaConfig(**CONFIGS["llama"], tie_word_embeddings=False)
        transformers.LlamaForCausalLM(config).save_pretrained(folder, max_shard_size="10KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 3
    return folder


def with_index(folder: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    index = folder / "model.safetensors.index.json"
    document = json.loads(index.read_text())
    index.write_text(json.dumps({**document, "weight_map": change(document["weight_map"])}))


def first_shard(folder: Path) -> Path:
    return min(folder.glob("model-*.safetensors"))


def cut_off(folder: Path) -> None:
    content = first_shard(folder).read_bytes()
    first_shard(folder).write_bytes(content[: len(content) - 100])


def cut_in_its_header(folder: Path) -> None:
    first_shard(folder).write_bytes(first_shard(folder).read_bytes()[:20])


def left_out_of_the_index(folder: Path) -> None:
    name = first_shard(folder).name
    with_index(folder, lambda files: {key: file for key, file in files.items() if file != name})


def named_in_another_shard(folder: Path) -> None:
    last = max(folder.glob("model-*.safetensors")).name
    with_index(folder, lambda files: {**files, "model.embed_tokens.weight": last})


def named_and_nowhere(folder: Path) -> None:
    with_index(folder, lambda files: {**files, "lm_head.bias": first_shard(folder).name})


@pytest.mark.parametrize("checked_bytes", [10**9, 0])
@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (cut_off, r"model-00001\S+' is damaged: .*download the checkpoint again"),
        (cut_in_its_header, r"model-00001\S+' is damaged: .*download the checkpoint again"),
        (lambda folder: first_shard(folder).unlink(), r"names 'model-00001\S+', which is missing; download"),
        (
            left_out_of_the_index,
            r"lack \d+ tensors of a LlamaModel .*, such as .*the index of the checkpoint names \d+ files",
        ),
        (
            named_in_another_shard,
            r"safetensors' lacks the tensor 'model.embed_tokens.weight', which the index",
        ),
        (named_and_nowhere, r"safetensors' lacks the tensor 'lm_head.bias', which the index"),
    ],
)
def test_a_search_does_not_begin_with_damaged_shards(
    damage: Callable[[Path], None],
    text: str,
    checked_bytes: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The values of a checkpoint that is larger than this are not read before a search.
    monkeypatch.setattr("denas_hf.start.CHECKED_BYTES", checked_bytes)
    monkeypatch.setattr(
        "denas_core.pretrained.checkpoint.file_digest", lambda path: pytest.fail(f"all of {path} is read")
    )
    damage(in_shards(tmp_path / "model"))
    settings = ["--set", f"space.model={tmp_path / 'model'}", "--set", "score.name=scores/params"]
    done = denas_here("search", "hf/auto", *settings, "--out", str(tmp_path / "run"))
    assert done.returncode == 2 and re.search(text, done.stderr), done.stderr
    assert done.stderr.count("\n") == 1 and not (tmp_path / "run").exists()
