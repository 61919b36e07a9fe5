"""From a checkpoint to a folder that transformers loads: the same texts get the same answers there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core.contracts.trained_model import TrainedModel
from denas_core.models.trained import load_model
from denas_core.pretrained.silence import silent_transformers
from denas_core.registry.registry import Registry
from denas_nlp.bert.space import Bert
from denas_nlp.text.example import WORDS
from denas_nlp.text.word_pieces import NEEDED
from tests.core.toy_searches import denas_here
from tests.nlp.tiny_bert import save_checkpoint


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = save_checkpoint(tmp_path / "checkpoint", max_position_embeddings=64)
    (folder / "vocab.txt").write_text("\n".join((*NEEDED, "[MASK]", *WORDS)) + "\n")
    return folder


def train(checkpoint: Path, tmp_path: Path, *settings: str, task: str, arch: str, tied: bool) -> TrainedModel:
    """Train a network of the checkpoint on the example of a task, and take the checkpoint away."""
    registry = Registry.discover()
    options = {"checkpoint": str(checkpoint), "tied": tied, "seq_len": 9}
    space = registry.create("space", "nlp/bert", options)
    data = registry.create("task", task).example(tmp_path, space)
    command = (
        f"train nlp/bert --task {task} --epochs 1 --lr 0.01 --device cpu -q --set training.layer_decay=0.9"
    )
    done = denas_here(
        *(*command.split(), "--arch", arch, "--data", str(data), "--out", str(tmp_path / "out"), *settings),
        *(f"--set=space.{name}={json.dumps(value)}" for name, value in options.items()),
    )
    assert done.returncode == 0, done.stderr
    assert "note: training began from the space's checkpoint" in done.stderr
    shutil.rmtree(checkpoint)
    return load_model(tmp_path / "out" / "model")


def logits_here(model: TrainedModel, data: Path) -> torch.Tensor:
    """Return the logits of the split to measure on, as `denas evaluate` sees it."""
    task: Any = model.task
    read = task.read(data, model.space, facts=model.facts)
    batch, _ = task.collate([read.valid.sample(index) for index in range(len(read.valid))])
    with torch.no_grad():
        return model.space.forward(model.network, batch).logits["logits"]


@pytest.mark.parametrize(("tied", "tier"), [(True, "A"), (False, "B")])
def test_sentences_get_the_same_labels_in_transformers(
    checkpoint: Path, tmp_path: Path, tied: bool, tier: str
) -> None:
    arch = {"layers": 2, "heads": 2, "intermediate": 8} | ({} if tied else {"heads": 3, "hidden": 12})
    model = train(checkpoint, tmp_path, task="sst2", arch=json.dumps(arch), tied=tied)
    assert isinstance(model.space, Bert) and model.history["weights"] == "inherited"
    exported = denas_here(
        "export", str(tmp_path / "out"), "--to", "huggingface", "--out", str(tmp_path / "hf")
    )
    assert exported.returncode == 0, exported.stderr
    assert f"  # tier {tier}: " in exported.stdout
    assert ("import denas_nlp.bert.hf" in exported.stdout) == (tier == "B")
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    with silent_transformers():
        network = AutoModelForSequenceClassification.from_pretrained(tmp_path / "hf")
        tokenizer = AutoTokenizer.from_pretrained(tmp_path / "hf")
    rows = [line.split("\t") for line in (tmp_path / "dev.tsv").read_text().splitlines()]
    inputs = tokenizer([sentence for sentence, _ in rows], padding=True, return_tensors="pt")
    with torch.no_grad():
        found = network(**inputs).logits
    expected = logits_here(model, tmp_path)
    assert (found - expected).abs().max() <= 1e-6 * expected.abs().max()
    assert list(network.config.id2label.values()) == model.facts["labels"]


def test_answers_have_the_same_scores_in_transformers(checkpoint: Path, tmp_path: Path) -> None:
    arch, short = '{"layers": 1, "heads": 4, "intermediate": 24}', "--set=task.query_length=16"
    train(checkpoint, tmp_path, short, task="squad", arch=arch, tied=True)
    exported = denas_here(
        "export", str(tmp_path / "out"), "--to", "huggingface", "--out", str(tmp_path / "hf")
    )
    assert exported.returncode == 0, exported.stderr
    assert "AutoModelForQuestionAnswering" in exported.stdout
