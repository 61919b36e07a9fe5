"""What is known of BERT: its weights by role, the sizes of BERT-base, and configurations of other sizes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

from denas_core.errors import ConfigError, did_you_mean
from denas_hf import Dimensions, Family, Original

_LAYER = "encoder.layer.{layer}"
FAMILY = Family(
    name="BERT",
    model_types=("bert", "denas-bert"),
    head_width="attention_head_size",
    positions="max_position_embeddings",
    token_types="type_vocab_size",
    weights={
        "embeddings.LayerNorm.*": "hidden",
        "embeddings.*": "_ hidden | embed",
        **{
            f"{_LAYER}.attention.self.{name}.{part}": rule
            for name in ("query", "key", "value")
            for part, rule in (
                ("weight", f"(heads[layer] head) hidden | attention.{name[0]}"),
                ("bias", "(heads[layer] head)"),
            )
        },
        f"{_LAYER}.attention.output.dense.weight": "hidden (heads[layer] head) | attention.out",
        f"{_LAYER}.intermediate.dense.weight": "ffn[layer] hidden | ffn.in",
        f"{_LAYER}.intermediate.dense.bias": "ffn[layer]",
        f"{_LAYER}.output.dense.weight": "hidden ffn[layer] | ffn.out",
        # Norms, and biases of the layers whose output has the hidden width.
        f"{_LAYER}.*": "hidden",
        "pooler.dense.weight": "hidden hidden | head",
        "pooler.dense.bias": "hidden",
    },
)
"""The table of BERT. It is written down because to derive it takes torch and a second, and gives the pooler no role."""

SIZES = {
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "hidden": "hidden_size",
    "intermediate": "intermediate_size",
    "head_size": "attention_head_size",
}
"""Keys of the configuration that differ between networks, or are not in BERT's own configuration."""

COMMON: Mapping[str, Any] = MappingProxyType(
    {
        "vocab_size": 30522,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "pad_token_id": 0,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "initializer_range": 0.02,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "classifier_dropout": None,
    }
)
"""The other keys, which are the same for all networks of a space, with their values in BERT-base."""

BERT_BASE = Dimensions(layers=12, heads=12, hidden=768, intermediate=3072)
"""BERT-base, the uncased model of Devlin et al. 2019 (arXiv:1810.04805)."""

HEAD_SIZE = 64


@dataclasses.dataclass(frozen=True, eq=False)
class BertOriginal(Original):
    """An original network whose ``config`` is a plain namespace, so that costs need neither torch nor transformers."""

    @classmethod
    def of(cls, sizes: Dimensions, *, head_size: int, common: Mapping[str, Any]) -> BertOriginal:
        """Return the original network of these sizes; `common` has a value for each key of `COMMON`."""
        config = SimpleNamespace(**common, attention_head_size=head_size)
        for name in ("layers", "heads", "hidden", "intermediate"):
            setattr(config, SIZES[name], getattr(sizes, name))
        return cls(config, FAMILY)

    @property
    def common(self) -> dict[str, Any]:
        """The keys of the configuration that all networks share."""
        return {name: getattr(self.config, name) for name in COMMON}

    @property
    def token_types(self) -> bool:
        """Whether a text has token types; BERT takes them even if there is only one."""
        return True

    def attention(self, sizes: Dimensions) -> int:
        """Return the width of queries, keys and values."""
        return sizes.heads * int(self.config.attention_head_size)

    def resized(self, wanted: Dimensions, depths: Mapping[str, int] | None = None) -> Any:
        """Return the configuration of a network: a `BertConfig` if its heads divide the hidden width.

        Raises:
            ConfigError: transformers does not have the activation.
        """
        from transformers import BertConfig
        from transformers.activations import ACT2FN

        from .hf import DenasBertConfig

        activation = self.config.hidden_act
        if activation not in ACT2FN:
            hint = did_you_mean(activation, ACT2FN) or "; see transformers.activations"
            raise ConfigError(f"transformers has no activation {activation!r} (hidden_act){hint}")
        values: dict[str, Any] = {
            **self.common,
            "num_hidden_layers": depths["layer"] if depths else wanted.layers,
            "num_attention_heads": wanted.heads,
            "hidden_size": wanted.hidden,
            "intermediate_size": wanted.intermediate,
        }
        if self.attention(wanted) == wanted.hidden:
            return BertConfig(**values)
        return DenasBertConfig(**values, attention_head_size=self.config.attention_head_size)
