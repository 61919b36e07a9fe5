"""Families of audio encoders."""

from __future__ import annotations

from denas_hf.family import Family
from denas_hf.modality import AUDIO as SOUND

WAV2VEC2 = Family(
    name="wav2vec 2.0",
    model_types=("wav2vec2", "hubert"),
    modality=SOUND,
    blocks="num_conv_pos_embedding_groups",
    weights={
        "masked_spec_embed": "hidden",
        "feature_extractor.*.conv.weight": "_ _ _",
        "feature_extractor.*": "_",
        "feature_projection.projection.weight": "hidden _ | embed",
        "feature_projection.projection.bias": "hidden",
        "feature_projection.*": "_",
        "encoder.pos_conv_embed.conv.parametrizations.weight.original0": "_ _ _",
        "encoder.pos_conv_embed.conv.parametrizations.weight.original1": "hidden block _",
        "encoder.pos_conv_embed.*": "hidden",
        "encoder.layers.{layer}.attention.q_proj.weight": "(heads[layer] head) hidden | attention.q",
        "encoder.layers.{layer}.attention.k_proj.weight": "(heads[layer] head) hidden | attention.k",
        "encoder.layers.{layer}.attention.v_proj.weight": "(heads[layer] head) hidden | attention.v",
        "encoder.layers.{layer}.attention.out_proj.weight": "hidden (heads[layer] head) | attention.out",
        "encoder.layers.{layer}.attention.out_proj.bias": "hidden",
        "encoder.layers.{layer}.attention.*.bias": "(heads[layer] head)",
        "encoder.layers.{layer}.feed_forward.intermediate_dense.weight": "ffn[layer] hidden | ffn.in",
        "encoder.layers.{layer}.feed_forward.intermediate_dense.bias": "ffn[layer]",
        "encoder.layers.{layer}.feed_forward.output_dense.weight": "hidden ffn[layer] | ffn.out",
        "encoder.layers.{layer}.*": "hidden",
        "encoder.layer_norm.*": "hidden",
    },
)
"""The first convolutions are the same in every network; the convolution for positions has groups of channels."""

AUDIO = (WAV2VEC2,)
