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

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType({"gpt-micro": {"config": GPT_MICRO}})
