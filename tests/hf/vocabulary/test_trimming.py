"""Copies of checkpoints with fewer tokens: what they compute, and who loads them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from denas_core.errors import ConfigError
from denas_core.pretrained.silence import silent_transformers
from tests.hf.tiny_models import checkpoint, made
from tests.nlp.texts import REAL

from .tokenizers_of_kinds import ENGLISH, SIZE, checkpoint_with, sentences, tokenizer, unpadded

_SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
_BERT = {**_SIZES, "max_position_embeddings": 70}
_T5 = {"d_model": 16, "num_layers": 2, "num_heads": 2, "d_ff": 24, "d_kv": 8, "pad_token_id": 0}
_BART = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": 70,
}
NETWORKS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "bert": ("word-pieces", "BertModel", {**_BERT, "pad_token_id": 0}),
    "bert-masked": ("word-pieces", "BertForMaskedLM", {**_BERT, "pad_token_id": 0}),
    "electra-narrow": ("word-pieces", "ElectraForMaskedLM", {**_BERT, "embedding_size": 8}),
    "roberta": (
        "bytes",
        "RobertaForMaskedLM",
        {**_BERT, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2},
    ),
    "gpt2": (
        "bytes",
        "GPT2LMHeadModel",
        {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 70, "bos_token_id": 2, "eos_token_id": 2},
    ),
    "llama-untied": (
        "bytes",
        "LlamaForCausalLM",
        {**_BERT, "num_key_value_heads": 1, "tie_word_embeddings": False, "eos_token_id": [2, 330]},
    ),
    "clip": ("ends-of-words", "CLIPTextModel", {**_BERT, "bos_token_id": 0, "eos_token_id": 1}),
    "t5": ("unigrams", "T5ForConditionalGeneration", {**_T5, "decoder_start_token_id": 0}),
    "t5-untied": (
        "unigrams",
        "T5ForConditionalGeneration",
        {**_T5, "tie_word_embeddings": False, "decoder_start_token_id": 0},
    ),
    "bart": (
        "bytes",
        "BartForConditionalGeneration",
        {**_BART, "decoder_start_token_id": 2, "pad_token_id": 1},
    ),
}
LANGUAGE = [name for name, (_, network, _) in NETWORKS.items() if not network.endswith("Model")] + ["gpt2"]


def trim(folder: Path, out: Path, *, tokens: int, **options: Any) -> dict[str, int]:
    out.mkdir(parents=True)
    return dict(made(model=str(folder), **options).trim_vocabulary(out, tokens=tokens))


def loaded(folder: Path, network: str) -> Any:
    import transformers

    with silent_transformers():
        model, report = getattr(transformers, network).from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    return model.eval()


def outputs(model: Any, ids: Tensor) -> Tensor:
    arguments = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    with torch.no_grad():
        output = model(input_ids=ids, **arguments)
    found: Tensor = output.logits if "logits" in output else output.last_hidden_state
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_a_copy_computes_the_same_for_the_tokens_that_it_has(name: str, tmp_path: Path) -> None:
    kind, network, values = NETWORKS[name]
    folder = checkpoint_with(tmp_path / "model", kind, network, values)
    size = tokenizer(kind).get_vocab_size()
    facts = trim(folder, tmp_path / "small", tokens=size - 20)
    assert facts == {
        "tokens": size - 20,
        "tokens_of_checkpoint": size,
        "tokens_of_data": 0,
        "tokens_of_data_kept": 0,
    }
    before, after = loaded(folder, network), loaded(tmp_path / "small", network)
    assert after.config.vocab_size == after.get_input_embeddings().num_embeddings == size - 20
    small = unpadded(tmp_path / "small")
    numbers = {tokenizer(kind).token_to_id(token): id for token, id in small.get_vocab().items()}
    compared = 0
    for text in sentences(60, words=tuple(ENGLISH), seed=5):
        ids = tokenizer(kind).encode(text).ids[:64]
        if not numbers.keys() >= set(ids):
            continue
        assert small.encode(text).ids[:64] == [numbers[id] for id in ids]
        expected = outputs(before, torch.tensor([ids]))
        if network != NETWORKS["bert"][1] and expected.shape[-1] == size:
            expected = expected[..., sorted(numbers)]
        found = outputs(after, torch.tensor([[numbers[id] for id in ids]]))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
        compared += 1
    assert compared > 5


@pytest.mark.parametrize("name", ["bert", "electra-narrow", "llama-untied", "t5", "bart"])
def test_the_share_of_rows_is_that_of_the_table_of_tokens(name: str, tmp_path: Path) -> None:
    kind, network, values = NETWORKS[name]
    folder = checkpoint_with(tmp_path / "model", kind, network, values)
    space = made(model=str(folder))
    base = loaded(folder, network).base_model
    table = base.get_input_embeddings().weight.numel()
    whole = sum(parameter.numel() for parameter in base.parameters())
    assert space.share_of_tokens() == pytest.approx(table / whole)
    assert made(model=str(checkpoint("vit"))).share_of_tokens() == 0


def test_settings_have_the_new_numbers_of_tokens(tmp_path: Path) -> None:
    kind, network, values = NETWORKS["llama-untied"]
    folder = checkpoint_with(tmp_path / "model", kind, network, values)
    generation = {
        "eos_token_id": 330,
        "forced_decoder_ids": None,
        "suppress_tokens": [330, *range(280, 300)],
        "pad_token_id": None,
    }
    (folder / "generation_config.json").write_text(json.dumps(generation))
    listed = {
        str(id): {"content": token} for token, id in tokenizer(kind).get_vocab().items() if id in (2, 330)
    }
    settings = {"added_tokens_decoder": listed, "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    trim(folder, tmp_path / "small", tokens=300)

    def read(name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((tmp_path / "small" / name).read_text())
        return document

    last = unpadded(tmp_path / "small").token_to_id("<mask>")
    assert last == 299
    assert read("config.json")["eos_token_id"] == [2, last]
    written = read("generation_config.json")
    assert written["eos_token_id"] == last and written["pad_token_id"] is None
    assert last in written["suppress_tokens"] and max(written["suppress_tokens"]) == last
    assert read("tokenizer_config.json")["added_tokens_decoder"] == {
        "2": {"content": "</s>"},
        str(last): {"content": "<mask>"},
    }


def test_transformers_loads_the_tokenizer_of_a_copy(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    kind, network, values = NETWORKS["bert"]
    folder = checkpoint_with(tmp_path / "model", kind, network, values)
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    trim(folder, tmp_path / "small", tokens=300)
    stock = AutoTokenizer.from_pretrained(tmp_path / "small")
    for text in sentences(20):
        assert stock(text)["input_ids"] == unpadded(tmp_path / "small").encode(text).ids


def test_a_checkpoint_in_several_files_is_copied_file_by_file(tmp_path: Path) -> None:
    import transformers

    kind, network, values = NETWORKS["bert"]
    folder = checkpoint_with(tmp_path / "model", kind, network, values)
    model = transformers.AutoModel.from_pretrained(folder)
    model.save_pretrained(folder, max_shard_size="12KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    files = {path.name for path in folder.glob("model*.safetensors")}
    assert len(files) > 1
    trim(folder, tmp_path / "small", tokens=300)
    assert {path.name for path in (tmp_path / "small").glob("*.safetensors")} == files
    index = json.loads((tmp_path / "small/model.safetensors.index.json").read_text())
    sizes = [
        sum(tensor.nbytes for tensor in load_file(tmp_path / "small" / name).values())
        for name in sorted(files)
    ]
    assert index["metadata"]["total_size"] == sum(sizes)
    assert loaded(tmp_path / "small", "BertModel").config.vocab_size == 300


def test_a_pickle_becomes_safetensors(tmp_path: Path) -> None:
    kind, network, values = NETWORKS["bert-masked"]
    folder = checkpoint_with(tmp_path / "model", kind, network, values)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    # Pickles of earlier versions hold the shared table twice.
    tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"]
    torch.save({name: tensor.half() for name, tensor in tensors.items()}, folder / "pytorch_model.bin")
    trim(folder, tmp_path / "small", tokens=300, allow_pickle=True)
    written = load_file(tmp_path / "small/model.safetensors")
    assert written["bert.embeddings.word_embeddings.weight"].shape == (300, 16)
    assert written["cls.predictions.bias"].shape == (300,)
    assert {tensor.dtype for tensor in written.values()} == {torch.float16}


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def with_a_larger_tokenizer(folder: Path) -> None:
    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.add_tokens(["another"])
    made.save(str(folder / "tokenizer.json"))


def with_another_ending(folder: Path) -> None:
    document = json.loads((folder / "tokenizer.json").read_text())
    document["post_processor"] = {"type": "Sequence", "processors": [{"type": "Unheard"}]}
    (folder / "tokenizer.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("tokens", "spoil", "message"),
    [
        (SIZE, None, f"the vocabulary has {SIZE} tokens, so {SIZE} are not a part of them"),
        (10, None, "a vocabulary of 10 tokens is too small"),
        (300, without_tokenizer, "has no tokenizer.json whose tokens could be chosen"),
        (300, with_a_larger_tokenizer, f"a token number {SIZE}, but the network has only {SIZE} rows"),
        (300, with_another_ending, "a post-processor of the kind 'Unheard'"),
    ],
)
def test_what_cannot_be_copied_is_refused(tokens: int, spoil: Any, message: str, tmp_path: Path) -> None:
    kind, network, values = NETWORKS["bert"]
    folder = checkpoint_with(tmp_path / "model", kind, network, values)
    if spoil is not None:
        spoil(folder)
    with pytest.raises(ConfigError, match=message):
        trim(folder, tmp_path / "small", tokens=tokens)


def test_a_network_whose_tokens_cannot_be_told_is_refused(tmp_path: Path) -> None:
    for name in ("vit", "wav2vec2"):
        with pytest.raises(ConfigError, match=f"a '{name}' has no vocabulary that could be smaller"):
            trim(checkpoint(name), tmp_path / name, tokens=10)
    kind, network, values = NETWORKS["bert"]
    folder = checkpoint_with(tmp_path / "model", kind, network, {**values, "intermediate_size": SIZE})
    with pytest.raises(ConfigError, match=f"which parts of '.*', of shape .*, belong to the {SIZE} tokens"):
        trim(folder, tmp_path / "small", tokens=300)
    with pytest.raises(ConfigError, match="needs a checkpoint with weights"):
        made(config={"model_type": "bert", **values, "vocab_size": SIZE}).trim_vocabulary(
            tmp_path, tokens=300
        )


@pytest.mark.parametrize("name", ["BloomForCausalLM", "CLIPTextModel"])
def test_a_real_checkpoint_is_copied(name: str, tmp_path: Path) -> None:
    folder = REAL / "hf-tiny-checkpoints" / name
    if not folder.is_dir():
        pytest.skip("no tiny checkpoints beside the repository")
    copied = shutil.copytree(folder, tmp_path / "model")
    trim(copied, tmp_path / "small", tokens=600, allow_pickle=True)
    model = loaded(tmp_path / "small", name)
    ids = unpadded(tmp_path / "small").encode("A small network writes texts.").ids
    assert max(ids) < 600 and torch.isfinite(outputs(model, torch.tensor([ids]))).all()
