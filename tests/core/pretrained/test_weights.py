"""Weights are those of the base model, bit for bit, and whole; a pickle never runs."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from denas_core.errors import ConfigError, StorageError
from denas_core.pretrained.checkpoint import Pretrained
from denas_core.pretrained.silence import silent_transformers
from tests.core.tiny_checkpoint import TINY, Change, assert_equal, bert, save

pytestmark = pytest.mark.usefixtures("no_network")

REAL = Path(os.environ.get("DENAS_TEST_DATA", Path(__file__).parents[3] / "shared" / "datasets"))
CHECKPOINTS = REAL / "hf-tiny-checkpoints"


def test_shards_give_the_same_weights(tmp_path: Path) -> None:
    place = save(bert(), tmp_path, max_shard_size="20KB")
    assert len(list(place.glob("model-*.safetensors"))) > 1
    assert_equal(Pretrained.open(str(place)).weights(), bert().state_dict())


def test_half_precision_is_read_as_float32(tmp_path: Path) -> None:
    import transformers

    model = transformers.BertModel(transformers.BertConfig(**TINY)).to(torch.bfloat16)
    pretrained = Pretrained.open(str(save(model, tmp_path)))
    assert {tensor.dtype for tensor in pretrained.weights().values()} == {torch.float32}
    assert_equal(pretrained.weights(), {name: t.float() for name, t in model.state_dict().items()})
    # Or networks that are built from it would be of half precision.
    assert pretrained.config.dtype is None


def test_names_of_old_checkpoints_are_understood(checkpoint: Path, changed: Change) -> None:
    place = changed()
    old = {
        f"bert.{name}".replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in load_file(checkpoint / "model.safetensors").items()
    }
    save_file(old, place / "model.safetensors")
    assert_equal(Pretrained.open(str(place)).weights(), bert().state_dict())


def test_a_classifier_is_opened_as_its_base_model(tmp_path: Path) -> None:
    model = bert("BertForSequenceClassification")
    pretrained = Pretrained.open(str(save(model, tmp_path)))
    assert_equal(pretrained.weights(), model.bert.state_dict())
    assert pretrained.unused == ("classifier.bias", "classifier.weight")
    assert pretrained.missing == ()


def test_a_pooler_that_was_never_trained_is_not_made_up(tmp_path: Path) -> None:
    model = bert("BertForMaskedLM")
    pretrained = Pretrained.open(str(save(model, tmp_path)))
    assert pretrained.missing == ("pooler.dense.bias", "pooler.dense.weight")
    assert_equal(pretrained.weights(), model.bert.state_dict())
    assert not any(name.startswith("pooler") for name in pretrained.weights())
    assert all(name.startswith("cls.") for name in pretrained.unused)


def test_an_encoder_with_a_decoder_is_read_with_its_shared_embedding(tmp_path: Path) -> None:
    import transformers

    config = transformers.T5Config(
        d_model=32, num_layers=2, num_decoder_layers=1, num_heads=4, d_ff=48, d_kv=8, vocab_size=50
    )
    model = transformers.T5ForConditionalGeneration(config)
    pretrained = Pretrained.open(str(save(model, tmp_path)))
    assert pretrained.missing == ()
    expected = {name: t for name, t in model.state_dict().items() if not name.startswith("lm_head")}
    assert_equal(pretrained.weights(), expected)
    shared = pretrained.weights()["shared.weight"]
    assert pretrained.weights()["decoder.embed_tokens.weight"].data_ptr() == shared.data_ptr()


SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
FAMILIES = {
    "RobertaForMaskedLM": {**SMALL, "vocab_size": 50, "max_position_embeddings": 20},
    "DistilBertForMaskedLM": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "vocab_size": 50},
    "ElectraForPreTraining": {**SMALL, "vocab_size": 50, "embedding_size": 16},
    "AlbertForMaskedLM": {**SMALL, "vocab_size": 50, "embedding_size": 16},
    "DebertaV2ForMaskedLM": {
        **SMALL,
        "vocab_size": 50,
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
    },
    "GPT2LMHeadModel": {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 50, "n_positions": 16},
    "LlamaForCausalLM": {**SMALL, "num_key_value_heads": 2, "vocab_size": 50},
    "ViTForImageClassification": {**SMALL, "image_size": 16, "patch_size": 8},
    "Wav2Vec2ForCTC": {**SMALL, "vocab_size": 30, "conv_dim": [8] * 7, "num_conv_pos_embeddings": 16},
    "HubertForCTC": {**SMALL, "vocab_size": 30, "conv_dim": [8] * 7, "num_conv_pos_embeddings": 16},
    "CLIPTextModelWithProjection": {**SMALL, "vocab_size": 50, "projection_dim": 8},
}


@pytest.mark.parametrize("kind", FAMILIES)
def test_weights_of_every_family_are_those_of_transformers(kind: str, tmp_path: Path) -> None:
    import transformers

    network = getattr(transformers, kind)
    place = save(network(network.config_class(**FAMILIES[kind])), tmp_path)
    pretrained = Pretrained.open(str(place))
    weights = pretrained.weights()
    with silent_transformers():
        expected = transformers.AutoModel.from_pretrained(place).state_dict()
    assert all(name.startswith(("pooler.", "masked_spec_embed")) for name in pretrained.missing)
    assert_equal(weights, {name: t for name, t in expected.items() if name not in pretrained.missing})


def test_weights_that_lack_tensors_of_the_network_are_refused(checkpoint: Path, changed: Change) -> None:
    place = changed()
    tensors = load_file(checkpoint / "model.safetensors")
    del tensors["encoder.layer.1.output.dense.weight"]
    save_file(tensors, place / "model.safetensors")
    with pytest.raises(
        ConfigError,
        match=r"lack 1 tensors of a BertModel .* such as 'encoder\.layer\.1\.output\.dense\.weight'",
    ):
        Pretrained.open(str(place)).weights()
    with pytest.raises(ConfigError, match="lack 16 tensors of a BertModel"):
        Pretrained.open(str(changed(num_hidden_layers=3))).weights()


def test_weights_of_another_width_name_the_tensor(changed: Change) -> None:
    with pytest.raises(
        ConfigError, match=r"tensor 'embeddings\S+' in .* has shape \[32\], but a BertModel .* has \[64\]"
    ):
        Pretrained.open(str(changed(hidden_size=64))).weights()


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.999])
def test_damaged_safetensors_are_one_line(changed: Change, kept: float) -> None:
    path = changed() / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(
        ConfigError, match=r"model\.safetensors' is damaged: .*; download the checkpoint again"
    ):
        Pretrained.open(str(path.parent)).weights()


def test_weights_that_are_gone_are_no_damage(changed: Change) -> None:
    place = changed()
    pretrained = Pretrained.open(str(place))
    (place / "model.safetensors").unlink()
    for read in (pretrained.weights, pretrained.digest):
        with pytest.raises(StorageError, match=r"model\.safetensors"):
            read()


def test_a_pickle_that_is_called_safetensors_is_not_run(changed: Change, tmp_path: Path) -> None:
    path = changed() / "model.safetensors"
    path.write_bytes(pickle.dumps(Malicious(tmp_path / "ran")))
    with pytest.raises(ConfigError, match="is damaged"):
        Pretrained.open(str(path.parent), allow_pickle=True).weights()
    assert not (tmp_path / "ran").exists()


class Malicious:
    """What runs a command when it is unpickled: makes `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def pickled(place: Path, content: object, **options: Any) -> Path:
    (place / "model.safetensors").unlink(missing_ok=True)
    torch.save(content, place / "pytorch_model.bin", **options)
    return place


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickle_of_tensors_is_read_where_it_is_allowed(changed: Change, zipped: bool) -> None:
    place = pickled(changed(), bert().state_dict(), _use_new_zipfile_serialization=zipped)
    with pytest.raises(ConfigError, match=r"are a pickle .* --allow-pickle \(space\.allow_pickle=true\)"):
        Pretrained.open(str(place))
    assert_equal(Pretrained.open(str(place), allow_pickle=True).weights(), bert().state_dict())


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_malicious_pickle_is_never_run(changed: Change, tmp_path: Path, zipped: bool) -> None:
    content = {**bert().state_dict(), "more": Malicious(tmp_path / "ran")}
    place = pickled(changed(), content, _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        ConfigError, match="holds more than tensors, which could run code, so it was not read"
    ):
        Pretrained.open(str(place), allow_pickle=True).weights()
    with pytest.raises(ConfigError, match="are a pickle"):
        Pretrained.open(str(place))
    assert not (tmp_path / "ran").exists()
    # The trap is a real one.
    torch.load(place / "pytorch_model.bin", weights_only=False)
    assert (tmp_path / "ran").exists()


def test_a_pickle_that_is_cut_off_or_holds_something_else_is_one_line(changed: Change) -> None:
    place = pickled(changed(), bert().state_dict())
    content = (place / "pytorch_model.bin").read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"hello"):
        (place / "pytorch_model.bin").write_bytes(damaged)
        with pytest.raises(ConfigError, match=r"pytorch_model\.bin' is damaged"):
            Pretrained.open(str(place), allow_pickle=True).weights()
    pickled(place, [1, 2])
    with pytest.raises(ConfigError, match="holds no tensors by name"):
        Pretrained.open(str(place), allow_pickle=True).weights()


def test_an_old_torch_reads_no_pickle(changed: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    place = pickled(changed(), bert().state_dict())
    monkeypatch.setattr(torch, "__version__", torch.torch_version.TorchVersion("2.9.1+cpu"))
    with pytest.raises(
        ConfigError, match=r"torch 2\.9\.1\+cpu cannot read safely; install torch 2\.10 or newer"
    ):
        Pretrained.open(str(place), allow_pickle=True).weights()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        # Nine matrices (four projections in each of two layers, and the pooler), 281 vectors, and 96 numbers.
        ({"hidden_size": 10**9}, "a network of 9000000281000000096 parameters, but its weights have"),
        ({"max_position_embeddings": 10**12}, "describes a network of"),
        ({"num_attention_heads": 5}, "is not a multiple of the number of attention heads"),
        ({"num_attention_heads": 0}, "cannot be read: ZeroDivisionError"),
        ({"hidden_act": "none"}, "cannot be read: KeyError"),
    ],
)
def test_a_configuration_of_another_network_allocates_nothing(
    changed: Change, values: dict[str, Any], why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        Pretrained.open(str(changed(**values))).weights()


@pytest.mark.skipif(not CHECKPOINTS.is_dir(), reason="needs the real checkpoints")
@pytest.mark.parametrize(
    ("name", "tensors", "layers", "missing"),
    [
        ("BertForSequenceClassification", 87, "encoder.layer.4.", ()),
        ("BloomForCausalLM", 65, "h.4.", ()),
        ("CLIPTextModel", 84, "encoder.layers.4.", ()),
        ("T5ForConditionalGeneration", 112, "decoder.block.4.", ()),
        ("YolosForObjectDetection", 88, "encoder.layer.4.", ("pooler.dense.bias", "pooler.dense.weight")),
    ],
)
def test_real_checkpoints_are_read(name: str, tensors: int, layers: str, missing: tuple[str, ...]) -> None:
    place = (CHECKPOINTS / name).resolve()
    pretrained = Pretrained.open(str(place), allow_pickle=True)
    weights = pretrained.weights()
    assert len(weights) == tensors and pretrained.missing == missing
    assert any(layers in tensor for tensor in weights)
    assert pretrained.tokenizer_file == next(
        filter(Path.is_file, [place / "tokenizer.json", place / "vocab.txt"]), None
    )
    # By another way: the same numbers, under longer names.
    if (place / "model.safetensors").is_file():
        raw = load_file(place / "model.safetensors")
    else:
        raw = torch.load(place / "pytorch_model.bin", weights_only=True)
    for tensor_name, tensor in weights.items():
        ends = [other for other in raw if other == tensor_name or other.endswith(f".{tensor_name}")]
        if ends:
            assert torch.equal(raw[ends[0]].float(), tensor)
    assert sum(any(other.endswith(tensor_name) for other in raw) for tensor_name in weights) > tensors / 2
