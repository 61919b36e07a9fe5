"""Families of image encoders."""

from __future__ import annotations

from denas_hf.family import Family
from denas_hf.modality import IMAGE

VIT = Family(
    name="ViT",
    model_types=("vit", "deit"),
    modality=IMAGE,
    follows=("pooler_output_size",),
    weights={
        "embeddings.patch_embeddings.projection.weight": "hidden _ _ _ | embed",
        "embeddings.patch_embeddings.projection.bias": "hidden",
        "embeddings.*": "_ _ hidden",
        "layers.{layer}.attention.q_proj.weight": "(heads[layer] head) hidden | attention.q",
        "layers.{layer}.attention.k_proj.weight": "(heads[layer] head) hidden | attention.k",
        "layers.{layer}.attention.v_proj.weight": "(heads[layer] head) hidden | attention.v",
        "layers.{layer}.attention.o_proj.weight": "hidden (heads[layer] head) | attention.out",
        "layers.{layer}.attention.o_proj.bias": "hidden",
        "layers.{layer}.attention.*.bias": "(heads[layer] head)",
        "layers.{layer}.mlp.fc1.weight": "ffn[layer] hidden | ffn.in",
        "layers.{layer}.mlp.fc1.bias": "ffn[layer]",
        "layers.{layer}.mlp.fc2.weight": "hidden ffn[layer] | ffn.out",
        "layers.{layer}.*": "hidden",
        "layernorm.*": "hidden",
        "pooler.dense.weight": "pooler_output_size hidden",
        "pooler.dense.bias": "pooler_output_size",
    },
)

VISION = (VIT,)
