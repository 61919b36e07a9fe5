"""Checkpoints are opened as they are or not at all, and read once; nothing that comes with them is run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from denas_core.errors import ConfigError
from denas_core.pretrained.checkpoint import Pretrained
from denas_core.pretrained.silence import silent_transformers
from tests.core.tiny_checkpoint import TINY, Change, assert_equal, bert, save

pytestmark = pytest.mark.usefixtures("no_network")


def test_a_checkpoint_gives_configuration_and_weights_as_they_were_saved(checkpoint: Path) -> None:
    pretrained = Pretrained.open(str(checkpoint))
    assert pretrained.config.model_type == "bert"
    assert {name: getattr(pretrained.config, name) for name in TINY} == TINY
    assert pretrained.has_weights and pretrained.tokenizer_file is None
    assert_equal(pretrained.weights(), bert().state_dict())
    assert pretrained.missing == pretrained.unused == ()
    assert not any(tensor.requires_grad for tensor in pretrained.weights().values())


def test_a_configuration_is_a_copy_each_time(checkpoint: Path) -> None:
    pretrained = Pretrained.open(str(checkpoint))
    pretrained.config.hidden_size = 7
    pretrained.config.id2label[0] = "changed"
    assert pretrained.config.hidden_size == 32
    assert pretrained.config.id2label[0] == "LABEL_0"


def test_a_checkpoint_is_read_once_and_not_again(checkpoint: Path, tmp_path: Path) -> None:
    place = shutil.copytree(checkpoint, tmp_path / "copy")
    pretrained = Pretrained.open(str(place))
    first = pretrained.weights()
    digest = pretrained.digest()
    shutil.rmtree(place)
    assert all(pretrained.weights() is first for _ in range(3))
    assert_equal(first, bert().state_dict())
    assert pretrained.digest() == digest


def test_weights_cannot_be_exchanged_by_a_caller(checkpoint: Path) -> None:
    weights: Any = Pretrained.open(str(checkpoint)).weights()
    with pytest.raises(TypeError):
        weights["pooler.dense.bias"] = torch.zeros(32)


def test_weights_are_the_same_whatever_the_caller_is_about_to_do(checkpoint: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    with torch.device("meta"), torch.inference_mode():
        weights = Pretrained.open(str(checkpoint)).weights()
    assert torch.equal(torch.get_rng_state(), before)
    assert_equal(weights, bert().state_dict())
    assert not any(tensor.is_inference() for tensor in weights.values())


def test_a_digest_changes_with_contents_and_not_with_places(
    checkpoint: Path, changed: Change, tmp_path: Path
) -> None:
    digest = Pretrained.open(str(checkpoint)).digest()
    assert len(digest) == 64 and int(digest, 16)
    assert Pretrained.open(str(changed())).digest() == digest
    # Where it once was, and how the text is laid out, are not contents.
    place = changed(_name_or_path="/somewhere/else")
    (place / "config.json").write_text(json.dumps(json.loads((place / "config.json").read_text()), indent=8))
    assert Pretrained.open(str(place)).digest() == digest
    assert Pretrained.open(str(changed(hidden_act="relu"))).digest() != digest
    place = changed(hidden_act="gelu")
    tensors = load_file(checkpoint / "model.safetensors")
    tensors["pooler.dense.bias"] = tensors["pooler.dense.bias"].clone()
    tensors["pooler.dense.bias"][3] += 1
    save_file(tensors, place / "model.safetensors")
    assert Pretrained.open(str(place)).digest() != digest
    (place / "model.safetensors").unlink()
    assert Pretrained.open(str(place)).digest() not in (digest, "")


def test_a_configuration_alone_has_no_weights(checkpoint: Path) -> None:
    for pretrained in (
        Pretrained.open(str(checkpoint / "config.json")),
        Pretrained.of_config(json.loads((checkpoint / "config.json").read_text())),
    ):
        assert not pretrained.has_weights
        assert pretrained.config.hidden_size == 32
        with pytest.raises(ConfigError, match="is a configuration without weights; name the folder"):
            pretrained.weights()


def test_a_portable_configuration_has_the_same_digest_without_its_file(checkpoint: Path) -> None:
    opened = Pretrained.open(str(checkpoint / "config.json"))
    carried = json.loads(json.dumps(dict(opened.values)))
    assert Pretrained.of_config(carried).digest() == opened.digest()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"model_type": None}, "names no 'model_type'"),
        ({"model_type": ["bert"]}, "names no 'model_type'"),
        (
            {"model_type": "berd"},
            "has the model type 'berd', which transformers does not know.* did you mean 'bert'",
        ),
        ({"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}}, "needs code of its own"),
        (
            {"auto_map": {"AutoModel": "owner/name--mine.Model"}},
            "needs code of its own .* which is never run",
        ),
        ({"quantization_config": {"quant_method": "gptq"}}, "has quantised weights"),
        ({"num_attention_heads": "many"}, "is not a configuration of 'bert'"),
        ({"hidden_size": None}, "is not a configuration of 'bert'"),
        ({"id2label": 7}, "is not a configuration of 'bert'"),
        ({"num_labels": 10**9}, "'num_labels' is 1000000000 .* at most 100000"),
        ({"num_hidden_layers": 10**9}, "'num_hidden_layers' is 1000000000 .* at most 10000"),
        ({"text_config": {"model_type": "bert", "num_hidden_layers": 10**9}}, "at most 10000"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_one_line(
    changed: Change, values: dict[str, Any], why: str
) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        Pretrained.open(str(folder := changed(**values)))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600 + len(str(folder))


def test_a_configuration_does_not_say_how_or_what_to_load(checkpoint: Path, changed: Change) -> None:
    place = changed(
        _attn_implementation="owner/kernel",
        _attn_implementation_internal="owner/kernel",
        attn_implementation="owner/kernel",
        transformers_weights="../other.safetensors",
        configuration_files=["config.9.0.0.json"],
        auto_map={"AutoModelForCausalLM": "mine.Model"},
        dtype="float99",
    )
    pretrained = Pretrained.open(str(place))
    assert_equal(pretrained.weights(), bert().state_dict())
    assert pretrained.values == Pretrained.open(str(checkpoint)).values
    assert not hasattr(pretrained.config, "auto_map")


def test_nothing_in_the_folder_but_the_named_files_counts(changed: Change, tmp_path: Path) -> None:
    place = changed()
    (place / "modeling_bert.py").write_text(f"import os; os.mkdir({str(tmp_path / 'ran')!r})")
    (place / "shard-00001-model-00001-of-00001.safetensors").write_text("damaged")
    (place / "generation_config.json").write_text("damaged")
    assert_equal(Pretrained.open(str(place)).weights(), bert().state_dict())
    assert not (tmp_path / "ran").exists()


def test_transformers_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    place = save(bert("BertForMaskedLM"), tmp_path, max_shard_size="20KB")
    capfd.readouterr()
    Pretrained.open(str(place)).weights()
    assert capfd.readouterr() == ("", "")


def test_silence_is_for_a_while(capfd: pytest.CaptureFixture[str]) -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with pytest.raises(KeyError), silent_transformers():
        logging.get_logger("transformers.some.model").critical("unheard")
        raise KeyError
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert "unheard" not in capfd.readouterr().err


def test_opening_a_checkpoint_is_no_business_of_the_command_line() -> None:
    code = (
        "import sys, denas_core.pretrained.checkpoint, denas_core.pretrained.files\n"
        "print([name for name in ('torch', 'transformers', 'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
