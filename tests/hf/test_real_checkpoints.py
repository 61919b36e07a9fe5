"""Real checkpoints: files as people have them, and a network that was trained."""

from __future__ import annotations

import hashlib
import json
import os
import random
from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from denas_core import Candidate
from denas_core.cli import _run
from denas_core.errors import ConfigError
from denas_core.pretrained.silence import silent_transformers
from denas_hf.space import Auto
from denas_scores.diversity import Diversity
from denas_scores.saliency import Saliency
from tests.trained_checkpoint import changed_files, minilm

from .inherited import features_of, inheriting_network
from .tiny_models import checkpoint, made

REAL = Path(os.environ.get("DENAS_TEST_DATA", Path(__file__).parents[3] / "shared" / "datasets"))
TINY = {
    "BertForSequenceClassification": {"allow_pickle": True},
    "T5ForConditionalGeneration": {"allow_pickle": True},
    "CLIPTextModel": {},
}


@pytest.mark.parametrize("by", ["leading", "magnitude"])
@pytest.mark.parametrize("name", TINY)
def test_a_real_checkpoint_is_the_largest_of_its_space(name: str, by: str) -> None:
    folder = REAL / "hf-tiny-checkpoints" / name
    if not folder.is_dir():
        pytest.skip("no tiny checkpoints beside the repository")
    space = made(model=str(folder), inherit=by, **TINY[name])
    with silent_transformers():
        stock = AutoModel.from_pretrained(folder, weights_only=True).eval()
    batch = space.batch(2, seed=0)
    inputs = space.start.original.family.modality.completed(stock.config, batch.inputs)
    network = inheriting_network(space, {})
    with torch.no_grad():
        assert torch.equal(space.forward(network.eval(), batch).features, stock(**inputs).last_hidden_state)
    rng = random.Random(0)
    for _ in range(3):
        arch = space.sample(rng)
        assert torch.isfinite(features_of(space, inheriting_network(space, arch.values))).all()
    assert ("tokenizer" in space.assets()) == (name != "CLIPTextModel")


def test_a_pickle_is_read_on_request_alone(tmp_path: Path) -> None:
    network = AutoModel.from_pretrained(checkpoint("bert"))
    network.config.save_pretrained(tmp_path)
    torch.save(network.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ConfigError, match=r"--allow-pickle"):
        made(model=str(tmp_path))
    space = made(model=str(tmp_path), allow_pickle=True)
    assert torch.isfinite(features_of(space, inheriting_network(space, {}))).all()


def test_only_the_sizes_that_can_be_chosen_are_knobs_of_a_real_checkpoint() -> None:
    folder = REAL / "hf-tiny-checkpoints" / "BloomForCausalLM"
    if not folder.is_dir():
        pytest.skip("no tiny checkpoints beside the repository")
    space = made(model=str(folder), allow_pickle=True)
    # Each head has a slope of positions of its own, and feed-forward layers have four times the hidden width.
    assert [knob.name for knob in space.knobs() if len(knob.values) > 1] == ["layers"]
    assert torch.isfinite(features_of(space, inheriting_network(space, {}))).all()


def test_a_changed_or_missing_file_of_the_trained_checkpoint_is_noticed(tmp_path: Path) -> None:
    wrong, right = "b" * 64, hashlib.sha256(b"{}").hexdigest()
    (tmp_path / "config.json").write_text("{}")
    assert changed_files(tmp_path, {"config.json": right}) == []
    assert changed_files(tmp_path, {"config.json": wrong, "vocab.txt": right}) == ["config.json", "vocab.txt"]


def test_a_trained_network_begins_to_shrink() -> None:
    space = Auto(model=str(minilm()), inherit="magnitude", seq_len=16).named("hf/auto")
    assert space.cost(space.full())["params"] == 22_713_216
    arch = space.architecture({"layers": 4, "heads": 10, "intermediate": 1152})
    batch = space.batch(1, seed=0)
    network = inheriting_network(space, arch.values)
    with torch.no_grad():
        features = space.forward(network.eval(), batch).features
    assert features.shape == (1, 16, 320) and bool(torch.isfinite(features).all())
    candidate = Candidate(space, arch)
    assert all(score(weights_from="inherited").measure(candidate) > 0 for score in (Diversity, Saliency))
    assert space.assets()["tokenizer"].name == "tokenizer.json"


def test_a_search_from_a_checkpoint_ends_with_a_smaller_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    arguments = [
        "search",
        "hf/auto",
        "--set",
        f"space.model={checkpoint('bert')}",
        "--set",
        "space.seq_len=9",
    ]
    arguments += ["--set", "score.weights_from=inherited", "--constraint", "params<=30k", "--budget", "4"]
    assert _run([*arguments, "--out", str(out), "--quiet", "--json"], debug=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["trials"]["scored"] == 4
    assert document["best"]["metrics"]["params"] <= 30_000
