"""Tiny networks of every family: their configurations, checkpoints of them, and spaces that begin with them."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from denas_core.pretrained.silence import silent_transformers
from denas_hf.space import Auto

_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
_TEXT = {**_SIZES, "vocab_size": 96, "max_position_embeddings": 40}
_ENDS = {"bos_token_id": 1, "eos_token_id": 2}
_SOUND = {
    **_SIZES,
    "conv_dim": [16, 16],
    "conv_stride": [5, 4],
    "conv_kernel": [10, 8],
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "classifier_proj_size": 16,
}
_BART = {
    "vocab_size": 96,
    "max_position_embeddings": 40,
    "d_model": 32,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
}
_DEBERTA = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "norm_rel_ebd": "layer_norm",
    "position_biased_input": False,
    "position_buckets": 8,
    "type_vocab_size": 0,
}

CONFIGS: dict[str, dict[str, Any]] = {
    "bert": {"model_type": "bert", **_TEXT},
    "roberta": {"model_type": "roberta", **_TEXT},
    "xlm-roberta": {"model_type": "xlm-roberta", **_TEXT},
    "camembert": {"model_type": "camembert", **_TEXT},
    "distilbert": {
        "model_type": "distilbert",
        "dim": 32,
        "n_layers": 3,
        "n_heads": 4,
        "hidden_dim": 64,
        "vocab_size": 96,
        "max_position_embeddings": 40,
    },
    "electra": {"model_type": "electra", **_TEXT, "embedding_size": 16},
    "electra-tied": {"model_type": "electra", **_TEXT, "embedding_size": 32},
    "albert": {"model_type": "albert", **_TEXT, "embedding_size": 16},
    "deberta": {"model_type": "deberta-v2", **_TEXT, **_DEBERTA, "share_att_key": True},
    "deberta-conv": {"model_type": "deberta-v2", **_TEXT, **_DEBERTA, "conv_kernel_size": 3},
    "clip": {"model_type": "clip_text_model", **_TEXT, **_ENDS},
    "gpt2": {
        "model_type": "gpt2",
        "n_embd": 32,
        "n_layer": 3,
        "n_head": 4,
        "n_inner": 64,
        "n_positions": 40,
        "vocab_size": 96,
        **_ENDS,
    },
    "llama": {"model_type": "llama", **_TEXT, "num_key_value_heads": 2},
    "mistral": {"model_type": "mistral", **_TEXT, "num_key_value_heads": 4, "head_dim": 12},
    "qwen2": {"model_type": "qwen2", **_TEXT, "num_key_value_heads": 2},
    "qwen3": {"model_type": "qwen3", **_TEXT, "num_key_value_heads": 2, "head_dim": 8},
    "t5": {"model_type": "t5", "vocab_size": 96, "d_model": 32, "num_layers": 3, "num_heads": 4, "d_ff": 64}
    | {"d_kv": 8},
    "t5-gated": {"model_type": "t5", "vocab_size": 96, "d_model": 32, "num_layers": 4, "num_heads": 4}
    | {"d_ff": 64, "d_kv": 12, "num_decoder_layers": 2, "feed_forward_proj": "gated-gelu"}
    | {"tie_word_embeddings": False, "decoder_start_token_id": 0},
    "mt5": {"model_type": "mt5", "vocab_size": 96, "d_model": 32, "num_layers": 3, "num_heads": 4, "d_ff": 64}
    | {"d_kv": 8},
    "bart": {"model_type": "bart", **_BART, "encoder_layers": 3, "decoder_layers": 3},
    "bart-uneven": {"model_type": "bart", **_BART, "encoder_layers": 4, "decoder_layers": 2}
    | {"scale_embedding": True},
    "vit": {"model_type": "vit", **_SIZES, "image_size": 16, "patch_size": 4},
    "vit-pooled": {"model_type": "vit", **_SIZES, "image_size": 16, "patch_size": 4, "pooler_output_size": 8},
    "deit": {"model_type": "deit", **_SIZES, "image_size": 16, "patch_size": 4},
    "wav2vec2": {"model_type": "wav2vec2", **_SOUND},
    "wav2vec2-stable": {"model_type": "wav2vec2", **_SOUND, "do_stable_layer_norm": True}
    | {"feat_extract_norm": "layer", "conv_bias": True},
    "hubert": {"model_type": "hubert", **_SOUND},
}
"""Configurations by name; those of one model type differ in how weights lie."""

TEXTS = [name for name, config in CONFIGS.items() if "vocab_size" in config]
CONTINUOUS = [name for name in CONFIGS if name not in TEXTS]
TOKENS = 9
SECONDS = 0.04


def config_of(name: str) -> Any:
    """Return the configuration of a tiny network as transformers has it."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    values = CONFIGS[name]
    with silent_transformers():
        return CONFIG_MAPPING[values["model_type"]].from_dict(dict(values))


@functools.cache
def space_of(name: str, **options: Any) -> Auto:
    """Return a space that begins with a tiny configuration, without weights."""
    return made(config=CONFIGS[name], **options)


@functools.cache
def inheriting_space(name: str, **options: Any) -> Auto:
    """Return a space that begins with a tiny checkpoint."""
    return made(model=str(checkpoint(name)), **options)


def made(**options: Any) -> Auto:
    """Return a space for small samples."""
    return Auto(**{"seq_len": TOKENS, "seconds": SECONDS, **options}).named("hf/auto")


@functools.cache
def checkpoint(name: str) -> Path:
    """Return the folder of a checkpoint of a tiny network; all its weights differ, those of norms and biases too."""
    import torch
    from transformers import AutoModel

    folder = Path(_FOLDER.name) / name
    with silent_transformers(), torch.random.fork_rng():
        torch.manual_seed(1)
        network = AutoModel.from_config(config_of(name))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        network.save_pretrained(folder)
    return folder


_FOLDER = tempfile.TemporaryDirectory(prefix="denas-hf-")
