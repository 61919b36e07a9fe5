"""The checkpoint of a space: its sizes, and the weights that smaller networks inherit from it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from denas_core.errors import ConfigError
from denas_core.pretrained import Layout, Pretrained, inherited, member_importance

from .hf import DenasBertConfig
from .shape import BERT_BASE, Original, Shape

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from denas_core.pretrained import Axis

_LAYER = "encoder.layer.{layer}"
LAYOUT = Layout(
    {
        "embeddings.LayerNorm.*": "hidden",
        "embeddings.*": "_ hidden",
        **{
            f"{_LAYER}.attention.self.{name}.{part}": dimensions
            for name in ("query", "key", "value")
            for part, dimensions in (
                ("weight", "(heads[layer] head) hidden"),
                ("bias", "(heads[layer] head)"),
            )
        },
        f"{_LAYER}.attention.output.dense.weight": "hidden (heads[layer] head)",
        f"{_LAYER}.intermediate.dense.weight": "intermediate[layer] hidden",
        f"{_LAYER}.intermediate.dense.bias": "intermediate[layer]",
        f"{_LAYER}.output.dense.weight": "hidden intermediate[layer]",
        # Norms, and biases of the layers whose output has the hidden width.
        f"{_LAYER}.*": "hidden",
        "pooler.dense.weight": "hidden hidden",
        "pooler.dense.bias": "hidden",
    }
)
"""Heads and neurons are selected in each layer, hidden features once for the whole network."""


class Checkpoint:
    """A checkpoint of BERT; its weights are read once, when a network first needs them."""

    def __init__(self, reference: str, *, allow_pickle: bool) -> None:
        """Open the checkpoint at `reference`; see `Pretrained.open`.

        Raises:
            ConfigError: there is no checkpoint, or it is not a BERT encoder.
        """
        self._pretrained = Pretrained.open(reference, allow_pickle=allow_pickle)
        self.original = _original(self._pretrained, reference)

    @property
    def has_weights(self) -> bool:
        """Whether the checkpoint has weights in addition to the configuration."""
        return self._pretrained.has_weights

    @property
    def tokenizer(self) -> Path | None:
        """The checkpoint's tokenizer file, if it has one."""
        return self._pretrained.tokenizer_file

    def digest(self) -> str:
        """Return the SHA-256 of configuration and weights."""
        return self._pretrained.digest()

    def weights_of(self, shape: Shape, *, by: Literal["leading", "magnitude"]) -> Mapping[str, Tensor]:
        """Return the weights that a network of `shape` inherits, by name; they may share the checkpoint's memory."""
        return inherited(
            LAYOUT,
            self._pretrained.weights(),
            source_sizes=_sizes(self.original.shape),
            target_sizes=_sizes(shape),
            by=by,
            importance=self._importance if by == "magnitude" else None,
        )

    @functools.cached_property
    def _importance(self) -> Mapping[Axis, Tensor]:
        sizes = _sizes(self.original.shape)
        return member_importance(LAYOUT, self._pretrained.weights(), sizes=sizes)


def _sizes(shape: Shape) -> dict[str, int]:
    return {
        "layer": shape.layers,
        "heads": shape.heads,
        "head": shape.head_size,
        "hidden": shape.hidden,
        "intermediate": shape.intermediate,
    }


def _original(pretrained: Pretrained, reference: str) -> Original:
    config = pretrained.config
    if config.model_type not in ("bert", DenasBertConfig.model_type):
        raise ConfigError(
            f"the checkpoint {reference!r} is of model type {config.model_type!r}, but nlp/bert supports only BERT; "
            "hf/auto supports other families"
        )
    is_decoder = config.is_decoder or config.add_cross_attention
    positions = pretrained.values.get("position_embedding_type", "absolute")
    if is_decoder or positions != "absolute":
        what = "a decoder" if is_decoder else f"a network with {positions!r} positions"
        raise ConfigError(
            f"the checkpoint {reference!r} is {what}, but nlp/bert needs an encoder with absolute positions; "
            "give another checkpoint"
        )
    sizes = {
        "layers": config.num_hidden_layers,
        "heads": config.num_attention_heads,
        "hidden": config.hidden_size,
        "intermediate": config.intermediate_size,
        "head_size": getattr(config, "attention_head_size", 1),
    }
    for name, size in sizes.items():
        if type(size) is not int or size < 1:
            raise ConfigError(f"the checkpoint {reference!r} has {size!r} as its {name}; download it again")
    if not isinstance(config, DenasBertConfig):
        if sizes["hidden"] % sizes["heads"]:
            raise ConfigError(
                f"the checkpoint {reference!r} has {sizes['hidden']} hidden features, which {sizes['heads']} heads "
                "cannot divide equally; give another checkpoint"
            )
        sizes["head_size"] = sizes["hidden"] // sizes["heads"]
    return Original(shape=Shape(**sizes), common={name: getattr(config, name) for name in BERT_BASE.common})
