"""Configurations of small networks that learn without a checkpoint, as presets of the space."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
"""The special tokens of a vocabulary that is learnt from texts."""

GPT_MICRO = {
    "model_type": "gpt2",
    "vocab_size": 2048,
    "n_positions": 256,
    "n_embd": 128,
    "n_layer": 4,
    "n_head": 4,
    "n_inner": 512,
    "attn_pdrop": 0.0,
    "embd_pdrop": 0.0,
    "resid_pdrop": 0.0,
    **_SPECIAL,
}
"""1.1 million parameters, a quarter of which are the table of tokens."""

T5_MICRO = {
    "model_type": "t5",
    "vocab_size": 2048,
    "d_model": 128,
    "d_kv": 32,
    "d_ff": 512,
    "num_layers": 3,
    "num_heads": 4,
    "dropout_rate": 0.0,
    "decoder_start_token_id": 0,
    **_SPECIAL,
}
"""1.6 million parameters."""

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"gpt-micro": {"config": GPT_MICRO}, "t5-micro": {"config": T5_MICRO}}
)
