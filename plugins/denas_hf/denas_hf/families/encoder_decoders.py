"""Families of text networks with an encoder and a decoder."""

from __future__ import annotations

from denas_hf.family import Family
from denas_hf.modality import TEXT_TO_TEXT

T5 = Family(
    name="T5",
    model_types=("t5", "mt5"),
    modality=TEXT_TO_TEXT,
    layers="num_layers",
    heads="num_heads",
    hidden="d_model",
    intermediate="d_ff",
    head_width="d_kv",
    stacks={"encoder": "num_layers", "decoder": "num_decoder_layers"},
    twins={"encoder_heads": "heads", "decoder_heads": "heads"},
    arguments={"use_cache": False},
    weights={
        "shared.weight": "_ hidden | embed",
        "*.embed_tokens.weight": "_ hidden",
        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": "_ encoder_heads",
        "encoder.block.{encoder}.layer.0.SelfAttention.q.weight": "(encoder_heads head) hidden | attention.q",
        "encoder.block.{encoder}.layer.0.SelfAttention.k.weight": "(encoder_heads head) hidden | attention.k",
        "encoder.block.{encoder}.layer.0.SelfAttention.v.weight": "(encoder_heads head) hidden | attention.v",
        "encoder.block.{encoder}.layer.0.SelfAttention.o.weight": "hidden (encoder_heads head) | attention.out",
        "encoder.block.{encoder}.layer.1.DenseReluDense.wo.weight": "hidden ffn[encoder] | ffn.out",
        "encoder.block.{encoder}.layer.1.DenseReluDense.*": "ffn[encoder] hidden | ffn.in",
        "encoder.block.{encoder}.*": "hidden",
        "encoder.final_layer_norm.weight": "hidden",
        "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": "_ decoder_heads",
        "decoder.block.{decoder}.layer.0.SelfAttention.q.weight": "(decoder_heads head) hidden | attention.q",
        "decoder.block.{decoder}.layer.0.SelfAttention.k.weight": "(decoder_heads head) hidden | attention.k",
        "decoder.block.{decoder}.layer.0.SelfAttention.v.weight": "(decoder_heads head) hidden | attention.v",
        "decoder.block.{decoder}.layer.0.SelfAttention.o.weight": "hidden (decoder_heads head) | attention.out",
        "decoder.block.{decoder}.layer.1.EncDecAttention.q.weight": "(heads[decoder] head) hidden | attention.q",
        "decoder.block.{decoder}.layer.1.EncDecAttention.k.weight": "(heads[decoder] head) hidden | attention.k",
        "decoder.block.{decoder}.layer.1.EncDecAttention.v.weight": "(heads[decoder] head) hidden | attention.v",
        "decoder.block.{decoder}.layer.1.EncDecAttention.o.weight": "hidden (heads[decoder] head) | attention.out",
        "decoder.block.{decoder}.layer.2.DenseReluDense.wo.weight": "hidden ffn[decoder] | ffn.out",
        "decoder.block.{decoder}.layer.2.DenseReluDense.*": "ffn[decoder] hidden | ffn.in",
        "decoder.block.{decoder}.*": "hidden",
        "decoder.final_layer_norm.weight": "hidden",
    },
)
"""All layers of a stack share relative positions with one value for each head, so they keep the same heads."""

ENCODER_DECODERS = (T5,)
