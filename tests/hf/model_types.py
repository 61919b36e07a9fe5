"""Tiny configurations of many model types of transformers: those that can be made smaller, and those that cannot."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from denas_core.pretrained import Pretrained
from denas_core.pretrained.silence import silent_transformers

_SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
_TEXT = {**_SIZES, "vocab_size": 96, "max_position_embeddings": 40}
_GROUPED = {**_TEXT, "num_key_value_heads": 2, "pad_token_id": 0}
_GPT = {"vocab_size": 96, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 40}
_ENDS = {"bos_token_id": 1, "eos_token_id": 2}
_TWO_STACKS = {
    "vocab_size": 96,
    "d_model": 32,
    "encoder_layers": 3,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
}
_TRANSLATOR = {**_TWO_STACKS, "max_position_embeddings": 40}
_IMAGE = {**_SIZES, "image_size": 16, "patch_size": 4}
_SOUND = {
    **_SIZES,
    "conv_dim": [16, 16],
    "conv_stride": [5, 4],
    "conv_kernel": [10, 8],
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}

_PYRAMID = {
    "hidden_sizes": [16, 32],
    "depths": [2, 3],
    "num_encoder_blocks": 2,
    "num_attention_heads": [1, 2],
    "mlp_ratios": [4, 2],
    "strides": [4, 2],
    "image_size": 32,
}
_SWIN = {"embed_dim": 16, "depths": [2, 3, 2], "num_heads": [2, 4, 8], "image_size": 64, "window_size": 4}
_CONVNEXT = {"hidden_sizes": [16, 32], "depths": [2, 3], "num_stages": 2, "image_size": 32}
_RESNET = {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [2, 3], "image_size": 32}

LAYERS_ONLY: dict[str, dict[str, Any]] = {
    "gpt_bigcode": {**_GPT, **_ENDS},
}
"""Model types of which layers can be left out, but nothing else."""

STAGED: dict[str, dict[str, Any]] = {
    "swin": _SWIN,
    "swinv2": _SWIN,
    "convnext": _CONVNEXT,
    "convnextv2": _CONVNEXT,
    "resnet": _RESNET,
    "regnet": {**_RESNET, "groups_width": 8},
    "poolformer": {
        "hidden_sizes": [16, 32],
        "depths": [2, 3],
        "num_encoder_blocks": 2,
        "patch_sizes": [7, 3],
        "strides": [4, 2],
        "padding": [2, 1],
        "image_size": 32,
    },
    "pvt": {**_PYRAMID, "patch_sizes": [4, 2], "sequence_reduction_ratios": [2, 1]},
    "pvt_v2": {**_PYRAMID, "patch_sizes": [7, 3], "sr_ratios": [2, 1], "num_encoder_blocks": 2},
    "segformer": {**_PYRAMID, "patch_sizes": [7, 3], "sr_ratios": [2, 1]},
}
"""Model types with stages, which can be made smaller too."""

SHRINKABLE: dict[str, dict[str, Any]] = {
    "bert": _TEXT,
    "roberta": _TEXT,
    "distilbert": {
        "dim": 32,
        "n_layers": 3,
        "n_heads": 4,
        "hidden_dim": 64,
        "vocab_size": 96,
        "max_position_embeddings": 40,
    },
    "electra": {**_TEXT, "embedding_size": 16},
    "albert": {**_TEXT, "embedding_size": 16},
    "deberta-v2": {
        **_TEXT,
        "relative_attention": True,
        "pos_att_type": ["c2p", "p2c"],
        "position_buckets": 8,
        "share_att_key": True,
    },
    "mpnet": _TEXT,
    "modernbert": {**_TEXT, **_ENDS, "pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2},
    "roformer": {**_TEXT, "embedding_size": 32},
    "rembert": {**_TEXT, "input_embedding_size": 16, "output_embedding_size": 16},
    "big_bird": {**_TEXT, "attention_type": "original_full"},
    "gpt2": {**_GPT, **_ENDS},
    "gpt_neo": {
        "vocab_size": 96,
        "hidden_size": 32,
        "num_layers": 4,
        "num_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 40,
        "attention_types": [[["global", "local"], 2]],
        **_ENDS,
    },
    "gpt_neox": _TEXT,
    "gptj": {**_GPT, **_ENDS, "rotary_dim": 4},
    "opt": {
        "vocab_size": 96,
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "ffn_dim": 64,
        "max_position_embeddings": 40,
        "word_embed_proj_dim": 32,
    },
    "bloom": {"vocab_size": 96, "hidden_size": 32, "n_layer": 3, "n_head": 4},
    "falcon": {
        "vocab_size": 96,
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "ffn_hidden_size": 64,
        "new_decoder_architecture": True,
        "num_kv_heads": 2,
    },
    "mistral": _GROUPED,
    "qwen3": {**_GROUPED, "head_dim": 8},
    "gemma": {**_GROUPED, "head_dim": 8, "num_key_value_heads": 1},
    "gemma3_text": {**_GROUPED, "head_dim": 8},
    "phi3": {**_TEXT, "pad_token_id": 0},
    "olmo2": _GROUPED,
    "starcoder2": _GROUPED,
    "t5": {"vocab_size": 96, "d_model": 32, "num_layers": 3, "num_heads": 4, "d_ff": 64, "d_kv": 8},
    "bart": _TRANSLATOR,
    "mbart": _TRANSLATOR,
    "marian": {**_TRANSLATOR, "forced_eos_token_id": 0},
    "pegasus": _TRANSLATOR,
    "m2m_100": _TRANSLATOR,
    "vit": _IMAGE,
    "beit": _IMAGE,
    "yolos": {**_IMAGE, "image_size": [16, 16], "num_detection_tokens": 5},
    "dinov2": {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "mlp_ratio": 2,
        "image_size": 16,
        "patch_size": 4,
    },
    "clip_vision_model": _IMAGE,
    "siglip_vision_model": _IMAGE,
    "wav2vec2": _SOUND,
    "wavlm": _SOUND,
    "whisper": {**_TWO_STACKS, "num_mel_bins": 16, "max_source_positions": 20, "max_target_positions": 40},
    "audio-spectrogram-transformer": {
        **_SIZES,
        "patch_size": 4,
        "num_mel_bins": 16,
        "max_length": 24,
        "frequency_stride": 4,
        "time_stride": 4,
    },
    **LAYERS_ONLY,
    **STAGED,
}
"""Model types that can be made smaller."""

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "deberta": (
        {**_TEXT, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
        "costs depend on the values",
    ),
    "longformer": ({**_TEXT, "attention_window": 4}, "costs depend on the values"),
    "mixtral": (_GROUPED, "costs depend on the values"),
    "mamba": ({"vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 3}, "attention heads"),
    "vit_mae": ({**_IMAGE, "mask_ratio": 0.5}, "outputs are random"),
}
"""Model types that cannot be made smaller, and a part of the reason."""


def values_of(name: str) -> dict[str, Any]:
    """Return the configuration of a tiny network."""
    own = SHRINKABLE[name] if name in SHRINKABLE else REFUSED[name][0]
    return {"model_type": name, **own}


@functools.cache
def checkpoint_of(name: str) -> Path:
    """Return the folder of a checkpoint of a tiny network; all its weights differ, those of norms and biases too."""
    import torch
    from transformers import AutoModel

    folder = Path(_FOLDER.name) / name
    with silent_transformers(), torch.random.fork_rng():
        torch.manual_seed(1)
        network = AutoModel.from_config(Pretrained.of_config(values_of(name)).config)
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.requires_grad:
                    parameter.add_(0.1 * torch.randn_like(parameter))
            for name, buffer in network.named_buffers():
                if "running" in name:
                    buffer.add_(0.1 * torch.rand_like(buffer))
        network.save_pretrained(folder)
    return folder


_FOLDER = tempfile.TemporaryDirectory(prefix="denas-hf-types-")
