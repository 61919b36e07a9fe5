"""The keys of a configuration that hold its sizes."""

from __future__ import annotations

import dataclasses
from typing import Any

LAYERS = (
    *("num_hidden_layers", "encoder_layers", "num_layers", "n_layers", "n_layer"),
    *("decoder_layers", "num_decoder_layers"),
)
HEADS = (
    *("num_attention_heads", "encoder_attention_heads", "num_heads", "n_heads", "n_head", "attention_heads"),
    *("decoder_attention_heads", "num_decoder_attention_heads"),
)
HIDDEN = ("hidden_size", "d_model", "n_embd", "dim", "embed_dim")
INTERMEDIATE = (
    *("intermediate_size", "encoder_ffn_dim", "ffn_dim", "d_ff", "n_inner", "ffn_hidden_size", "hidden_dim"),
    *("decoder_ffn_dim",),
)
HEAD_WIDTHS = ("head_dim", "d_kv", "attention_head_size")
GROUPS = ("num_key_value_heads", "num_kv_heads")
POSITIONS = ("max_position_embeddings", "n_positions", "max_target_positions")

_FOLLOWS = ("embed", "hidden", "dim", "pooler", "width")
_NEVER_FOLLOWS = (
    *("position", "vocab", "window", "image", "patch", "type", "ffn", "max", "kernel", "bucket", "num_"),
    *("head", "conv", "codevector", "layers", "tdnn", "xvector", "projection", "rotary", "mel", "relative"),
    "output_hidden",
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of a configuration by size; the first key of several is the main one.

    Attributes:
        layers: Keys with numbers of layers.
        heads: Keys with numbers of heads.
        hidden: Key with the hidden width.
        intermediate: Keys with the width of feed-forward layers; there may be none.
        head_width: Key with the width of a head; empty if the hidden width and the heads give it.
        groups: Key with the number of heads for keys and values; empty if there is none.
        follows: Keys that equal the hidden width, by their names a width too.
        lists: Keys with a list that has an entry for each layer.
    """

    layers: tuple[str, ...]
    heads: tuple[str, ...]
    hidden: str
    intermediate: tuple[str, ...]
    head_width: str
    groups: str
    follows: tuple[str, ...]
    lists: tuple[str, ...]


def keys_of(config: Any) -> Keys | str:
    """Return the keys of a configuration, or what is missing."""
    values = vars(config)

    def of(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in values and not isinstance(values[name], (list, tuple)))

    layers, heads, hidden, intermediate = of(LAYERS), of(HEADS), of(HIDDEN), of(INTERMEDIATE)
    for name, found in (("layers", layers), ("attention heads", heads), ("hidden width", hidden)):
        if not found or not isinstance(values[found[0]], int):
            return f"its configuration has no key for the number of {name} of all layers"
    width, depth = values[hidden[0]], values[layers[0]]
    return Keys(
        layers=layers,
        heads=heads,
        hidden=hidden[0],
        intermediate=tuple(name for name in intermediate if name not in hidden),
        head_width=next(iter(of(HEAD_WIDTHS)), ""),
        groups=next(iter(of(GROUPS)), ""),
        follows=tuple(
            key
            for key, value in values.items()
            if value == width
            and isinstance(value, int)
            and key != hidden[0]
            and any(part in key for part in _FOLLOWS)
            and not any(part in key for part in _NEVER_FOLLOWS)
        ),
        lists=tuple(
            key
            for key, value in values.items()
            if isinstance(value, (list, tuple))
            and len(value) == depth
            and ("layer" in key or key == "attention_window")
        ),
    )
