"""Families: what is known of the networks of a model type. `denas_hf.deriving` finds it; a table can also say it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from .modality import TEXT, Modality


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Networks with the same structure, described by one table of their weights and layers.

    Attributes:
        name: The usual name of the family.
        model_types: Values of ``model_type`` in configurations.
        modality: The kind of its inputs.
        weights: A rule for every parameter of the base model, as in `denas_core.pretrained.layout`, by pattern of
            names; the first match is used. After ``|`` a rule may name the kind of the weight, see
            `denas_core.values.views.KINDS`, or one kind for each part of a fused projection. Its axes are ``hidden``,
            ``heads``, ``head`` (the width of a head), ``ffn``, those of `stacks`, `groups`, `tied` and `twins`, and
            keys of `follows`.
        layers: Key of the configuration with the number of layers.
        heads: Key with the number of heads.
        hidden: Key with the width of a token.
        intermediate: Key with the width of feed-forward layers; without a value it is `ratio` times `hidden`. If it
            is empty, the width is not chosen.
        head_width: Key with the width of a head; empty if the width follows from `hidden` and `heads`.
        groups: Key with the number of heads for keys and values; empty if every head has its own. The axis is
            ``groups``, and the axis ``share`` is the number of heads that use the same keys and values.
        stacks: For the axis of each stack of blocks, the key with its number of blocks. The first stack has `layers`
            blocks; the others keep their proportion to it.
        stages: Key whose value is a list with the number of layers of each stage; empty if a network has no stages. The
            keys of `stacks` are then its entries, such as ``depths[0]``, each of which is chosen by itself.
        is_ordered: Whether a block does not compute the same in another place of its stack, such as where every second
            block shifts its windows. The first blocks are then kept.
        lists: Keys whose value is a list with an entry for each layer.
        follows: Keys that equal `hidden` in most configurations, and then change together with it. In `weights` each is
            an axis: it is the same as ``hidden``, or is kept whole if the values differ.
        equals: For keys whose value must equal that of another key, the other key, such as for the heads of a decoder
            those of its encoder.
        fixed: Sizes that cannot be chosen: ``heads`` that are not alike, such as those with a fixed slope of positions,
            ``hidden`` features that are not alike, such as those with sines of positions, or ``layers`` whose number
            is the length of a weight.
        ratio: Width of feed-forward layers as a multiple of `hidden`, if no key gives it.
        blocks: Key with the number of equal parts into which a layer divides `hidden`, such as the groups of a
            convolution; the same channels are kept in each part.
        twins: Other names for axes whose members are selected separately, such as the heads of another stack.
        positions: Key with the greatest number of positions; empty if there is no limit.
        first_position: Key with the number before the first position, such as the padding token's; may be empty.
        token_types: Key with the number of token types; empty if there are none.
        attention: Name of the attention implementation.
        arguments: Arguments of the network that are not inputs.
        token_head: Rules of the weights that give the scores of tokens, which are not in the base model. Checkpoints
            lack them if the scores are made with the table of tokens.
        meta_mask: The mask to pass on the meta device, for networks that would otherwise compute one from the values of
            their inputs: ``row``, for each token, ``square``, for each pair of tokens, or ``decoder``, for each pair of
            tokens of the text that is written; empty if none is needed.
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
    stages: str = ""
    is_ordered: bool = False
    lists: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    equals: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    ratio: int = 4
    blocks: str = ""
    twins: Mapping[str, str] = dataclasses.field(default_factory=dict)
    positions: str = ""
    first_position: str = ""
    token_types: str = ""
    attention: Literal["sdpa", "eager"] = "sdpa"
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    token_head: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"lm_head.weight": "_ hidden"})
    meta_mask: Literal["", "row", "square", "decoder"] = ""
