"""Exports that transformers loads: with the same logits, its tokenizer and labels, and without DE-NAS."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from denas_core.builtin.exporters.huggingface import HuggingFace
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError
from denas_core.models.deployable import deployable_network, traced
from denas_core.models.export import export_model
from denas_core.testing import ExporterTests
from denas_core.testing.checks.processes import fault_of
from denas_core.values.batch import Batch
from tests.core.exported import model_of, sample_model
from tests.core.huggingface_spaces import VOCABULARY, Own, TinyBert


def exporter() -> HuggingFace:
    return HuggingFace().named("builtin/huggingface")


def bert(**options: Any) -> TinyBert:
    return TinyBert(**options).named("test/bert")


class TestHuggingFace(ExporterTests):
    def make(self) -> HuggingFace:
        return exporter()

    def spaces(self) -> list[SearchSpace]:
        return [bert()]


@pytest.mark.nightly
class TestHuggingFaceOfEachKind(TestHuggingFace):
    def spaces(self) -> list[SearchSpace]:
        return [bert(), bert(kind="answer"), Own().named("test/own")]


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(VOCABULARY))
    return path


COMPARED = """
import sys, torch
inputs, expected = torch.load({batch!r}, weights_only=True)
with torch.inference_mode():
    output = network(**inputs)
found = output.logits if "logits" in output else torch.stack([output.start_logits, output.end_logits], -1)
difference = float((found - expected).abs().max() / expected.abs().max())
assert difference <= 1e-6, difference
assert not [name for name in sys.modules if name.startswith("denas")]
"""

PIPELINE = """
from transformers import pipeline
assert network.config.label2id == {{"bad": 0, "good": 1}}
assert tokenizer("GOOD film").input_ids == [2, 32, 33, 3]
by_hand = network(**tokenizer("GOOD film", return_tensors="pt")).logits.softmax(-1)[0]
for model in (dict(model=network, tokenizer=tokenizer), dict(model={path!r})):
    found = pipeline("text-classification", **model)("GOOD film", top_k=None)
    scores = {{one["label"]: one["score"] for one in found}}
    assert abs(scores["bad"] - by_hand[0]) < 1e-5 and abs(scores["good"] - by_hand[1]) < 1e-5, found
"""


@pytest.mark.slow
def test_plain_transformers_gives_the_same_logits_and_its_pipeline_classifies_where_denas_cannot_be_imported(
    vocabulary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code = ""
    for kind in ("answer", "text"):
        model = model_of(bert(kind=kind, vocab=str(vocabulary)), facts={"labels": ["bad", "good"]})
        done = export_model(exporter(), model, tmp_path / kind)
        inputs = dict(model.space.batch(3, seed=5).inputs)
        with torch.no_grad():
            expected = model.space.forward(model.network, Batch(inputs=inputs)).logits["logits"]
        torch.save([inputs, expected], tmp_path / f"{kind}.pt")
        code += f"{done.usage}\n{COMPARED.format(batch=str(tmp_path / f'{kind}.pt'))}"
    code += PIPELINE.format(path=str(done.path))
    assert fault_of(code, absent=["denas_core", "tests"]) == ""


def test_the_folder_holds_what_transformers_looks_for(vocabulary: Path, tmp_path: Path) -> None:
    model = model_of(bert(vocab=str(vocabulary)), facts={"labels": ["bad", "good"]})
    before = json.dumps(model.network.config.to_dict(), default=str)  # type: ignore[union-attr]
    done = export_model(exporter(), model, tmp_path / "out")
    assert {path.name for path in done.directory.iterdir()} == {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "README.md"),
        *("denas.json", "card.json"),
    }
    assert len({path.stat().st_mode for path in done.directory.iterdir()}) == 1
    config = json.loads((done.path / "config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"] and config["model_type"] == "bert"
    assert config["dtype"] == "float32" and config["id2label"] == {"0": "bad", "1": "good"}
    assert json.dumps(model.network.config.to_dict(), default=str) == before  # type: ignore[union-attr]
    weights = load_file(done.path / "model.safetensors")
    assert weights.keys() == model.network.state_dict().keys()
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())
    tokens = json.loads((done.path / "tokenizer_config.json").read_text())
    assert tokens["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert (tokens["pad_token"], tokens["cls_token"], tokens["mask_token"]) == ("[PAD]", "[CLS]", "[MASK]")
    assert tokens["model_input_names"] == ["input_ids", "attention_mask"]
    assert tokens["model_max_length"] == 16
    assert json.loads((done.path / "denas.json").read_text()) == {
        "tier": "A",
        "inputs": ["input_ids", "attention_mask"],
        "outputs": {"logits": ["logits"]},
    }
    assert done.usage.splitlines() == [
        "# tier A: transformers alone loads it",
        "from transformers import AutoModelForSequenceClassification, AutoTokenizer",
        f"network = AutoModelForSequenceClassification.from_pretrained({str(done.path)!r})",
        f"tokenizer = AutoTokenizer.from_pretrained({str(done.path)!r})",
    ]
    card = (done.path / "README.md").read_text()
    assert card.startswith(
        "---\nlibrary_name: transformers\npipeline_tag: text-classification\ntags:\n- denas\n---\n"
    )
    assert "This export is of tier A: transformers alone loads it." in card
    assert "pip install torch 'transformers>=" in card and "denas-core==" not in card
    assert str(tmp_path) not in card and str(tmp_path) not in json.dumps(config)


def test_the_tokenizer_of_the_task_comes_before_that_of_the_space(vocabulary: Path, tmp_path: Path) -> None:
    from tokenizers import BertWordPieceTokenizer

    tokens = {token: place for place, token in enumerate([*VOCABULARY[:5], "Upper"])}
    made: Any = BertWordPieceTokenizer(tokens, lowercase=False)
    text = made._tokenizer.to_str()
    model = model_of(bert(vocab=str(vocabulary)), facts={"tokenizer": text})
    done = export_model(exporter(), model, tmp_path / "out")
    assert (done.path / "tokenizer.json").read_text() == text
    assert "labels" not in json.loads((done.path / "config.json").read_text())
    (vocabulary.parent / "tokenizer.json").write_text(text)
    asset = model_of(bert(vocab=str(vocabulary.parent / "tokenizer.json")), facts={})
    again = export_model(exporter(), asset, tmp_path / "again")
    assert (again.path / "tokenizer.json").read_text() == text
    assert not (
        export_model(exporter(), model_of(bert(), facts={}), tmp_path / "none").path / "tokenizer.json"
    ).exists()


def test_a_single_output_is_a_number(tmp_path: Path) -> None:
    done = export_model(exporter(), model_of(bert(labels=1), facts={"labels": ["score"]}), tmp_path / "out")
    config = json.loads((done.path / "config.json").read_text())
    assert config["problem_type"] == "regression" and config["id2label"] == {"0": "score"}


def test_a_model_type_of_a_plugin_is_of_tier_b_and_says_what_to_import(tmp_path: Path) -> None:
    model = model_of(Own().named("test/own"), facts={})
    assert not exporter().is_standalone(model) and exporter().is_standalone(model_of(bert()))
    done = export_model(exporter(), model, tmp_path / "out")
    assert done.usage.splitlines() == [
        "# tier B: tests.core.huggingface_spaces registers 'denas-test-own' with transformers",
        "import tests.core.huggingface_spaces",
        "from transformers import AutoModel",
        f"network = AutoModel.from_pretrained({str(done.path)!r})",
    ]
    assert (
        "This export is of tier B: tests.core.huggingface_spaces registers"
        in (done.path / "README.md").read_text()
    )


def test_networks_of_others_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"^this network of 'sample/mlp' is a Sequential, not a model of transformers, so"
    ):
        export_model(exporter(), sample_model(), tmp_path / "out")
    with pytest.raises(
        ConfigError, match=r"a BertModel does not return the output 'logits' of 'test/bert', but last_"
    ):
        export_model(exporter(), model_of(bert(kind="pooled"), facts={}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "answer", "base"])
def test_networks_of_tokens_are_traced_for_batches_of_any_size(kind: Any) -> None:
    model = model_of(bert(kind=kind), facts={})
    module = deployable_network(model)
    program = traced(module).module()
    for size in (1, 5):
        inputs = model.space.batch(size, seed=size).inputs
        with torch.no_grad():
            torch.testing.assert_close(program(*inputs.values()), module(*inputs.values()))


def test_the_head_of_a_task_is_written_with_the_network(tmp_path: Path) -> None:
    space = bert()
    arch = space.smallest()
    assert arch is not None
    head = nn.Linear(16, 2)
    network = space.load(space.build(arch, head=head), arch, seed=0).eval()
    done = export_model(exporter(), TrainedModel(space=space, arch=arch, network=network), tmp_path / "out")
    assert torch.equal(load_file(done.path / "model.safetensors")["classifier.weight"], head.weight)


def test_the_head_of_the_card_is_what_the_hub_reads(tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    model = dataclasses.replace(
        model_of(bert(), facts={"labels": ["bad", "good"]}),
        metrics={"accuracy": 0.75, "loss": 0.5},
        history={
            "data": "/home/someone/reviews",
            "weights": "inherited",
            "space": {"model": "someone/bert-tiny"},
            "search": {"budgets": ["params<=1M"], "compared with random networks, by score": "better than 5"},
        },
    )
    chosen = HuggingFace(license="mit", language=["en"]).named("builtin/huggingface")
    export_model(chosen, model, tmp_path / "out")
    card = ModelCard.load(tmp_path / "out" / "README.md")
    assert (card.data.license, card.data.language, card.data.base_model) == (
        "mit",
        ["en"],
        "someone/bert-tiny",
    )
    assert card.data.library_name == "transformers" and card.data.datasets is None
    (result,) = card.data.eval_results or []
    assert (result.task_type, result.dataset_name) == ("text-classification", "reviews")
    assert (result.metric_type, result.metric_value) == ("accuracy", 0.75)
    assert "## The search" in card.text and '| budgets | \\["params\\<=1M"\\] |' in card.text
    assert "better than 5" in card.text and "/home/someone" not in card.content


def test_without_a_training_the_card_claims_no_result(tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    export_model(exporter(), model_of(bert(), facts={}), tmp_path / "out")
    data = ModelCard.load(tmp_path / "out" / "README.md").data
    assert data.eval_results is None and data.license is None and data.base_model is None
