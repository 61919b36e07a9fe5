"""Families: what has to be known of the networks of a model type, declared once, as a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from denas_core.errors import ConfigError

from .modality import TEXT, Modality

GUIDE = "docs/adding-a-family.md"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Networks that are built alike, so that one table tells how their weights are sliced and what their layers are.

    Attributes:
        name: What people call it.
        model_types: Values of ``model_type`` in configurations.
        modality: What its inputs are.
        weights: A rule for every parameter of the base model, as in `denas_core.pretrained.layout`, by pattern of
            names; the first that matches counts. After ``|`` a rule may name the kind of the weight, see
            `denas_core.values.views.KINDS`; one kind for each part of a fused projection. Its axes are ``hidden``,
            ``heads``, ``head`` (the width of a
            head), ``ffn``, those of `stacks`, `groups`, `tied` and `twins`, and keys of `follows`.
        layers: Key of the configuration with the number of layers.
        heads: Key with the number of heads.
        hidden: Key with the width of a token.
        intermediate: Key with the width of feed-forward layers; without a value it is four times `hidden`.
        head_width: Key with the width of a head, where that does not follow from `hidden` and `heads`; else empty.
        groups: Key with the number of heads for keys and values; empty where every head has its own. Its axis is
            ``groups``, and ``share`` is the number of heads that share one.
        stacks: By the axis of a stack of blocks, the key with their number. The first has `layers`; the others keep
            their proportion to it.
        lists: Keys with an entry for each layer.
        follows: Keys that equal `hidden` in most configurations, and then follow it. In `weights` each is an axis,
            which is that of ``hidden`` or, where the values differ, one that is kept whole.
        blocks: Key of the number of equal parts into which a layer divides `hidden`, such as the groups of a
            convolution; the same channels are kept of each part.
        twins: Other names for axes whose members are chosen apart, by name, such as the heads of another stack.
        positions: Key with the number of tokens for which there are positions; empty where there is no end to them.
        first_position: Key with the number before that of the first position, such as that of the padding; or empty.
        token_types: Key with the number of kinds of tokens that a text has; empty where it has none.
        attention: The implementation of attention.
        arguments: Arguments of the network that are no inputs.
        meta_mask: The mask that a network is given on the meta device, where it would look for one among the values of
            its inputs: ``row``, for each token, or ``square``, for each pair of tokens; empty where it need not.
    """

    name: str
    model_types: tuple[str, ...]
    weights: Mapping[str, str]
    modality: Modality = TEXT
    layers: str = "num_hidden_layers"
    heads: str = "num_attention_heads"
    hidden: str = "hidden_size"
    intermediate: str = "intermediate_size"
    head_width: str = ""
    groups: str = ""
    stacks: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"layer": "num_hidden_layers"})
    lists: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    blocks: str = ""
    twins: Mapping[str, str] = dataclasses.field(default_factory=dict)
    positions: str = ""
    first_position: str = ""
    token_types: str = ""
    attention: Literal["sdpa", "eager"] = "sdpa"
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    meta_mask: Literal["", "row", "square"] = ""


def family_of(model_type: str, families: Iterable[Family]) -> Family:
    """Return the family of a model type.

    Raises:
        ConfigError: it is none of those that are known.
    """
    known = {name: family for family in families for name in family.model_types}
    if model_type not in known:
        raise ConfigError(
            f"networks of model type {model_type!r:.60} belong to no family that is known: {', '.join(sorted(known))}; "
            f"{GUIDE} says how one is added"
        )
    return known[model_type]
