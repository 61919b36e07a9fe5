"""Language models with a task, exported: stock transformers continues and answers texts as the trained model does."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core import Predictor, Registry, TrainedModel, save_model
from denas_core.errors import ConfigError
from denas_core.models import build_network
from denas_core.pretrained.silence import silent_transformers

from .tiny_models import CONFIGS
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
