"""Families of text decoders."""

from __future__ import annotations

from denas_hf.family import Family
from denas_hf.modality import CAUSAL_TEXT

GPT2 = Family(
    name="GPT-2",
    model_types=("gpt2",),
    modality=CAUSAL_TEXT,
    layers="n_layer",
    heads="n_head",
    hidden="n_embd",
    intermediate="n_inner",
    stacks={"layer": "n_layer"},
    positions="n_positions",
    arguments={"use_cache": False},
    meta_mask="square",
    weights={
        "wte.weight": "_ hidden | embed",
        "wpe.weight": "_ hidden | embed",
        "h.{layer}.attn.c_attn.weight": "hidden (3 heads[layer] head) | attention.q attention.k attention.v",
        "h.{layer}.attn.c_attn.bias": "(3 heads[layer] head)",
        "h.{layer}.attn.c_proj.weight": "(heads[layer] head) hidden | attention.out",
        "h.{layer}.mlp.c_fc.weight": "hidden ffn[layer] | ffn.in",
        "h.{layer}.mlp.c_fc.bias": "ffn[layer]",
        "h.{layer}.mlp.c_proj.weight": "ffn[layer] hidden | ffn.out",
        "h.{layer}.*": "hidden",
        "ln_f.*": "hidden",
    },
)
"""The weights of its linear layers are stored as (in, out)."""

LLAMA = Family(
    name="Llama",
    model_types=("llama", "mistral", "qwen2", "qwen3"),
    modality=CAUSAL_TEXT,
    head_width="head_dim",
    groups="num_key_value_heads",
    lists=("layer_types",),
    positions="max_position_embeddings",
    arguments={"use_cache": False},
    meta_mask="square",
    weights={
        "embed_tokens.weight": "_ hidden | embed",
        "layers.{layer}.self_attn.q_proj.weight": "(groups[layer] share head) hidden | attention.q",
        "layers.{layer}.self_attn.k_proj.weight": "(groups[layer] head) hidden | attention.k",
        "layers.{layer}.self_attn.v_proj.weight": "(groups[layer] head) hidden | attention.v",
        "layers.{layer}.self_attn.o_proj.weight": "hidden (groups[layer] share head) | attention.out",
        "layers.{layer}.self_attn.q_proj.bias": "(groups[layer] share head)",
        "layers.{layer}.self_attn.k_proj.bias": "(groups[layer] head)",
        "layers.{layer}.self_attn.v_proj.bias": "(groups[layer] head)",
        "layers.{layer}.self_attn.q_norm.weight": "head",
        "layers.{layer}.self_attn.k_norm.weight": "head",
        "layers.{layer}.mlp.gate_proj.weight": "ffn[layer] hidden | ffn.in",
        "layers.{layer}.mlp.up_proj.weight": "ffn[layer] hidden | ffn.in",
        "layers.{layer}.mlp.gate_proj.bias": "ffn[layer]",
        "layers.{layer}.mlp.up_proj.bias": "ffn[layer]",
        "layers.{layer}.mlp.down_proj.weight": "hidden ffn[layer] | ffn.out",
        "layers.{layer}.*": "hidden",
        "norm.weight": "hidden",
    },
)
"""Heads that share keys and values are kept or removed together."""

DECODERS = (GPT2, LLAMA)
