"""Language models with a task, exported: stock transformers continues and answers texts as the trained model does."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core import Predictor, Registry, SearchSpace, TrainedModel, save_model
from denas_core.errors import ConfigError
from denas_core.models import build_network
from denas_core.models.export_folder import CARD
from denas_core.pretrained.silence import silent_transformers
from denas_core.testing import TaskTests
from denas_nlp.language.task import CausalLanguageModel
from denas_nlp.text.form import Reach, reach_of
from denas_nlp.writing.task import Seq2Seq

from .test_language_models import inherited, saved_language_model
from .tiny_models import CONFIGS, made, space_of
from .trained import exported

TEXT = "".join(f"In town {number} a river runs through wide valleys.\n" for number in range(60))
SPECIAL = {"vocab_size": 300, "pad_token_id": 5, "eos_token_id": 6, "bos_token_id": 6}


def written_model(folder: Path, config: str, task_id: str, data: Path, **options: Any) -> TrainedModel:
    """Return a network with the facts of data, as if it had been trained on them."""
    registry = Registry.discover()
    space = registry.create("space", "hf/auto", {"config": {**CONFIGS[config], **SPECIAL}, "seq_len": 8})
    task = registry.create("task", task_id, {"vocab": "bpe", "max_length": 16, **options})
    facts = task.read(data, space).facts
    arch = space.sample(random.Random(1))
    network = space.load(build_network(space, arch, task=task, facts=facts), arch, seed=0).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            # Fresh networks give all tokens almost the same score.
            parameter.mul_(3)
    model = TrainedModel(
        space=space, arch=arch, network=network, task=task, facts=facts, metrics={"perplexity": 2.0}
    )
    save_model(folder, model)
    return model


@pytest.mark.parametrize("config", ["gpt2", "llama"])
def test_transformers_continues_a_text_as_the_model_does(config: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

    data = tmp_path / "book.txt"
    data.write_text(TEXT)
    model = written_model(tmp_path / "model", config, "nlp/causal-lm", data, max_new_tokens=8)
    (prediction,) = Predictor.load(tmp_path / "model")(["In town"])
    assert prediction.answer is not None
    done = exported(model, tmp_path / "out", "huggingface")
    assert "AutoModelForCausalLM" in done.usage and done.difference <= 1e-6
    card = (done.path / "README.md").read_text()
    assert "pipeline_tag: text-generation" in card and 'pipeline("text-generation"' in card
    with silent_transformers():
        stock: Any = AutoModelForCausalLM.from_pretrained(done.path)
        tokenizer: Any = AutoTokenizer.from_pretrained(done.path)
        assert (stock.generation_config.pad_token_id, stock.generation_config.eos_token_id) == (0, 1)
        assert (tokenizer.pad_token, tokenizer.eos_token) == ("<pad>", "</s>")
        inputs = tokenizer("In town", return_tensors="pt")
        written = stock.generate(**inputs, max_new_tokens=8, do_sample=False)[0]
        text = tokenizer.decode(written[inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        assert text == prediction.answer.text
        write = pipeline("text-generation", model=str(done.path))
        (found,) = write("In town", max_new_tokens=8, do_sample=False)
    assert found["generated_text"] == "In town" + text


@pytest.mark.parametrize("form", ["torch-export", "huggingface", "onnx/onnx"])
def test_an_exported_file_gives_the_next_token(form: str, tmp_path: Path) -> None:
    data = tmp_path / "book.txt"
    data.write_text(TEXT)
    model = written_model(tmp_path / "model", "gpt2", "nlp/causal-lm", data)
    done = exported(model, tmp_path / "out", form)
    with pytest.raises(
        ConfigError, match=r"an exported file gives only the next token; set task\.max_new_tokens=1"
    ):
        Predictor.load(done.path)(["In town"])

    def one(task: Any) -> Any:
        return Registry.discover().create("task", task.id, {**task.options(), "max_new_tokens": 1})

    trained, file = (
        Predictor.load(path, change=one)(["In town 1"]) for path in (tmp_path / "model", done.path)
    )
    assert trained[0].answer == file[0].answer and trained[0].answer is not None


class TestPromisesOfTextsThatAreWritten(TaskTests):
    def make(self) -> Seq2Seq:
        return Seq2Seq(max_length=16, target_length=16, max_new_tokens=4).named("nlp/seq2seq")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (space_of("t5"),)


class TestPromisesOfContinuedTexts(TaskTests):
    def make(self) -> CausalLanguageModel:
        return CausalLanguageModel(max_length=16, max_new_tokens=4).named("nlp/causal-lm")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (space_of("gpt2"),)


def pairs_file(folder: Path) -> Path:
    """Write pairs of texts and return their file."""
    path = folder / "pairs.csv"
    rows = (f"In town {number} a river runs,{number} rivers\n" for number in range(60))
    path.write_text("source,target\n" + "".join(rows))
    return path


@pytest.mark.parametrize("config", ["t5", "t5-gated", "bart"])
def test_transformers_writes_the_same_text_as_the_model(config: str, tmp_path: Path) -> None:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    model = written_model(tmp_path / "model", config, "nlp/seq2seq", pairs_file(tmp_path), max_new_tokens=8)
    texts = ["In town 7 a river runs", "town"]
    answers = [one.answer.text for one in Predictor.load(tmp_path / "model")(texts) if one.answer]
    done = exported(model, tmp_path / "out", "huggingface")
    assert "AutoModelForSeq2SeqLM" in done.usage
    assert "network.generate(" in (done.path / "README.md").read_text()
    with silent_transformers():
        stock: Any = AutoModelForSeq2SeqLM.from_pretrained(done.path)
        # The end token of Bart's own vocabulary is another token of the learnt one.
        assert getattr(stock.generation_config, "forced_eos_token_id", None) is None
        tokenizer: Any = AutoTokenizer.from_pretrained(done.path)
        written = []
        for text in texts:
            ids = stock.generate(**tokenizer(text, return_tensors="pt"), max_new_tokens=8, do_sample=False)
            # The first token stands before the text.
            written.append(tokenizer.decode(ids[0, 1:], skip_special_tokens=True).strip())
    assert written == answers and all(answers)


def test_an_exported_program_takes_the_text_that_is_written(tmp_path: Path) -> None:
    model = written_model(tmp_path / "model", "t5", "nlp/seq2seq", pairs_file(tmp_path))
    done = exported(model, tmp_path / "out", "torch-export")
    card = json.loads((done.path.parent / CARD).read_text())
    assert [each["name"] for each in card["inputs"]] == ["input_ids", "attention_mask", "target_ids"]


def test_the_scores_of_a_position_follow_from_the_written_text_before_it() -> None:
    space = space_of("t5")
    task = Seq2Seq().named("nlp/seq2seq")
    arch = space.full()
    network = space.load(build_network(space, arch, task=task, facts={"vocabulary": 96}), arch, seed=0).eval()
    batch = task.add_inputs(space.batch(1, seed=0))
    with torch.no_grad():
        first = space.forward(network, batch).logits["logits"]
        batch.inputs["target_ids"][:, 5] += 1
        second = space.forward(network, batch).logits["logits"]
    assert torch.equal(first[:, :6], second[:, :6]) and not torch.equal(first[:, 6:], second[:, 6:])


def test_the_worst_answers_have_the_most_wrong_tokens_and_the_text_if_one_was_written(tmp_path: Path) -> None:
    model = written_model(tmp_path / "model", "t5", "nlp/seq2seq", pairs_file(tmp_path))
    task, facts = model.task, model.facts
    assert task is not None
    valid = task.read(tmp_path / "pairs.csv", model.space).valid
    # Of each text: the sum of cross entropies, the number of right tokens, and the number of tokens.
    sums = torch.tensor([[1.0, 4.0, 4.0]] * len(valid)).double()
    sums[2, 1] = 1.0
    found = task.worst_answers(sums, {}, valid, facts)
    assert (found["errors"], found["samples"], found["wrong"]) == ("wrong tokens", len(valid), 1)
    (worst,) = found["answers"]
    assert worst["sample"].startswith("In town") and worst["expected"].endswith("rivers")
    assert (worst["answered"], worst["errors"]) == (None, 3.0)
    nothing = torch.full((len(valid), 5), -1.0).double()
    (written,) = task.worst_answers(torch.cat([sums, nothing], 1), {}, valid, facts)["answers"]
    assert written["answered"] == ""


def test_a_network_with_a_table_of_positions_writes_no_longer_texts(tmp_path: Path) -> None:
    assert reach_of(space_of("bart")) == Reach(tokens=96, positions=40)
    path = tmp_path / "pairs.csv"
    rows = (f"In town {number} a river runs,{'many rivers ' * 20}\n" for number in range(60))
    path.write_text("source,target\n" + "".join(rows))
    model = written_model(tmp_path / "model", "bart", "nlp/seq2seq", path, max_new_tokens=100)
    assert model.task is not None
    valid = model.task.read(path, model.space, facts=model.facts).valid
    assert max(len(valid.sample(index).targets) for index in range(len(valid))) == 40
    (prediction,) = Predictor.load(tmp_path / "model")(["In town"])
    assert prediction.answer is not None and prediction.answer.text


def test_the_scores_of_a_checkpoint_keep_the_bias_that_it_has_beside_its_weights(tmp_path: Path) -> None:
    stock = saved_language_model("bart", tmp_path)
    bias = torch.linspace(-1, 1, 96)[None]
    with silent_transformers():
        stock.final_logits_bias.copy_(bias)
        stock.save_pretrained(tmp_path)
    network = inherited(made(model=str(tmp_path)), "bart", {"heads": 2})
    assert torch.equal(network.get_buffer("final_logits_bias"), bias)
    fresh = space_of("bart")
    network = build_network(
        fresh, fresh.full(), task=Seq2Seq().named("nlp/seq2seq"), facts={"vocabulary": 96}
    )
    assert not fresh.load(network, fresh.full(), seed=0).get_buffer("final_logits_bias").any()


def test_a_decoder_with_other_sizes_than_its_encoder_is_refused() -> None:
    with pytest.raises(ConfigError, match="decoder_attention_heads 2 differs from encoder_attention_heads 4"):
        made(config={**CONFIGS["bart"], "decoder_attention_heads": 2})
