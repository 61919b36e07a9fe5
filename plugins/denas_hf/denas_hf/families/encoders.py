"""Families of text encoders."""

from __future__ import annotations

import dataclasses

from denas_hf.family import Family

_BERT_LAYERS = {
    "encoder.layer.{layer}.*.self.query.weight": "(heads[layer] head) hidden | attention.q",
    "encoder.layer.{layer}.*.self.key.weight": "(heads[layer] head) hidden | attention.k",
    "encoder.layer.{layer}.*.self.value.weight": "(heads[layer] head) hidden | attention.v",
    "encoder.layer.{layer}.*.self.*.bias": "(heads[layer] head)",
    "encoder.layer.{layer}.*.output.dense.weight": "hidden (heads[layer] head) | attention.out",
    "encoder.layer.{layer}.intermediate.dense.weight": "ffn[layer] hidden | ffn.in",
    "encoder.layer.{layer}.intermediate.dense.bias": "ffn[layer]",
    "encoder.layer.{layer}.output.dense.weight": "hidden ffn[layer] | ffn.out",
    "encoder.layer.{layer}.*": "hidden",
}
"""These patterns also match the cross-attention of decoders of this kind."""

BERT = Family(
    name="BERT",
    model_types=("bert",),
    positions="max_position_embeddings",
    token_types="type_vocab_size",
    weights={
        "embeddings.LayerNorm.*": "hidden",
        "embeddings.*": "_ hidden | embed",
        **_BERT_LAYERS,
        "pooler.dense.weight": "hidden hidden",
        "pooler.dense.bias": "hidden",
    },
)

ROBERTA = dataclasses.replace(
    BERT,
    name="RoBERTa",
    model_types=("roberta", "xlm-roberta", "camembert"),
    first_position="pad_token_id",
    token_types="",
)
"""The table of token types has one row."""

DISTILBERT = Family(
    name="DistilBERT",
    model_types=("distilbert",),
    layers="n_layers",
    heads="n_heads",
    hidden="dim",
    intermediate="hidden_dim",
    stacks={"layer": "n_layers"},
    positions="max_position_embeddings",
    weights={
        "embeddings.LayerNorm.*": "hidden",
        "embeddings.*": "_ hidden | embed",
        "transformer.layer.{layer}.attention.q_lin.weight": "(heads[layer] head) hidden | attention.q",
        "transformer.layer.{layer}.attention.k_lin.weight": "(heads[layer] head) hidden | attention.k",
        "transformer.layer.{layer}.attention.v_lin.weight": "(heads[layer] head) hidden | attention.v",
        "transformer.layer.{layer}.attention.out_lin.weight": "hidden (heads[layer] head) | attention.out",
        "transformer.layer.{layer}.attention.out_lin.bias": "hidden",
        "transformer.layer.{layer}.attention.*.bias": "(heads[layer] head)",
        "transformer.layer.{layer}.ffn.lin1.weight": "ffn[layer] hidden | ffn.in",
        "transformer.layer.{layer}.ffn.lin1.bias": "ffn[layer]",
        "transformer.layer.{layer}.ffn.lin2.weight": "hidden ffn[layer] | ffn.out",
        "transformer.layer.{layer}.*": "hidden",
    },
)

ELECTRA = Family(
    name="ELECTRA",
    model_types=("electra",),
    follows=("embedding_size",),
    positions="max_position_embeddings",
    token_types="type_vocab_size",
    weights={
        "embeddings.LayerNorm.*": "embedding_size",
        "embeddings.*": "_ embedding_size | embed",
        "embeddings_project.weight": "hidden embedding_size | embed",
        "embeddings_project.bias": "hidden",
        **_BERT_LAYERS,
    },
)

ALBERT = Family(
    name="ALBERT",
    model_types=("albert",),
    positions="max_position_embeddings",
    token_types="type_vocab_size",
    weights={
        "embeddings.LayerNorm.*": "_",
        "embeddings.*": "_ _ | embed",
        "encoder.embedding_hidden_mapping_in.weight": "hidden _ | embed",
        "encoder.embedding_hidden_mapping_in.bias": "hidden",
        "encoder.*.attention.query.weight": "(heads head) hidden | attention.q",
        "encoder.*.attention.key.weight": "(heads head) hidden | attention.k",
        "encoder.*.attention.value.weight": "(heads head) hidden | attention.v",
        "encoder.*.attention.query.bias": "(heads head)",
        "encoder.*.attention.key.bias": "(heads head)",
        "encoder.*.attention.value.bias": "(heads head)",
        "encoder.*.attention.dense.weight": "hidden (heads head) | attention.out",
        "encoder.*.ffn.weight": "ffn hidden | ffn.in",
        "encoder.*.ffn.bias": "ffn",
        "encoder.*.ffn_output.weight": "hidden ffn | ffn.out",
        "encoder.*": "hidden",
        "pooler.weight": "hidden hidden",
        "pooler.bias": "hidden",
    },
)
"""All layers share the same weights, so no layers are selected."""

DEBERTA = Family(
    name="DeBERTa-v2",
    model_types=("deberta-v2",),
    follows=("embedding_size", "pooler_hidden_size"),
    positions="max_position_embeddings",
    token_types="type_vocab_size",
    attention="eager",
    meta_mask="row",
    weights={
        "embeddings.LayerNorm.*": "hidden",
        "embeddings.embed_proj.weight": "hidden embedding_size | embed",
        "embeddings.*": "_ embedding_size | embed",
        "encoder.layer.{layer}.attention.self.query_proj.weight": "(heads[layer] head) hidden | attention.q",
        "encoder.layer.{layer}.attention.self.key_proj.weight": "(heads[layer] head) hidden | attention.k",
        "encoder.layer.{layer}.attention.self.value_proj.weight": "(heads[layer] head) hidden | attention.v",
        "encoder.layer.{layer}.attention.self.*.weight": "(heads[layer] head) hidden",
        **_BERT_LAYERS,
        "encoder.rel_embeddings.weight": "_ hidden",
        "encoder.conv.conv.weight": "hidden hidden _",
        "encoder.*": "hidden",
    },
)
"""Its attention has relative positions, for which transformers has no fused implementation."""

CLIP_TEXT = Family(
    name="CLIP text",
    model_types=("clip_text_model",),
    positions="max_position_embeddings",
    weights={
        "embeddings.*": "_ hidden | embed",
        "encoder.layers.{layer}.self_attn.q_proj.weight": "(heads[layer] head) hidden | attention.q",
        "encoder.layers.{layer}.self_attn.k_proj.weight": "(heads[layer] head) hidden | attention.k",
        "encoder.layers.{layer}.self_attn.v_proj.weight": "(heads[layer] head) hidden | attention.v",
        "encoder.layers.{layer}.self_attn.out_proj.weight": "hidden (heads[layer] head) | attention.out",
        "encoder.layers.{layer}.self_attn.out_proj.bias": "hidden",
        "encoder.layers.{layer}.self_attn.*.bias": "(heads[layer] head)",
        "encoder.layers.{layer}.mlp.fc1.weight": "ffn[layer] hidden | ffn.in",
        "encoder.layers.{layer}.mlp.fc1.bias": "ffn[layer]",
        "encoder.layers.{layer}.mlp.fc2.weight": "hidden ffn[layer] | ffn.out",
        "encoder.layers.{layer}.*": "hidden",
        "final_layer_norm.*": "hidden",
    },
)

ENCODERS = (BERT, ROBERTA, DISTILBERT, ELECTRA, ALBERT, DEBERTA, CLIP_TEXT)
