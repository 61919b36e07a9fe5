"""Families of networks with stages, each of which has a number of layers of its own. Their widths are not chosen."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Mapping
from typing import Any, Literal

from denas_core.errors import describe_error
from denas_hf.family import Family

from .checks import check_shapes
from .depth import DEPTH, Ground, derive_depth
from .facts import meta_mask_of
from .inputs import arguments_of, inputs_of, modality_of, outputs_of
from .rules import Underivable
from .tiny import build, draw, shrink_inputs

DEPTHS = ("depths",)
"""Keys with a list of the numbers of layers of stages."""

HEADS = ("num_heads", "num_attention_heads")
WIDTHS = ("hidden_sizes", "embed_dims", "embed_dim", "embedding_size")
"""Keys with the heads and the widths of stages, or with the width of the first stage."""

LEAST_WIDTH = 16
"""Greatest common divisor of the widths of a tiny network without heads."""


def stages_key(config: Any) -> str:
    """Return the key with the numbers of layers of stages; empty if a configuration has none."""
    for key in DEPTHS:
        entries = vars(config).get(key)
        if isinstance(entries, (list, tuple)) and len(entries) > 1 and all(type(e) is int for e in entries):
            return key
    return ""


def derive_stages(config: Any, key: str) -> Family:
    """Return the family of a configuration with stages.

    Raises:
        Underivable: its networks cannot be run, or the last block of a stage cannot be left out.
    """
    why = ""
    attentions: tuple[Literal["sdpa", "eager"], ...] = ("sdpa", "eager")
    for tiny in (_narrow(config), config):
        for attention in attentions:
            try:
                family = _derived(_shallow(tiny, key, {}), key, attention)
            except Underivable:
                raise
            # Transformers raises errors of any kind for sizes that do not fit together.
            except Exception as error:
                why = why or f"a tiny network like it cannot be built or run: {describe_error(error):.200}"
            else:
                check_shapes(config, family)
                return family
    raise Underivable(why)


def _derived(tiny: Any, key: str, attention: Literal["sdpa", "eager"]) -> Family:
    network = build(tiny, attention=attention, device="cpu")
    draw(network, seed=0)
    modality = modality_of(network, tiny)
    if isinstance(modality, str):
        raise Underivable(modality)
    inputs, arguments = inputs_of(modality, tiny), arguments_of(network)
    stacks = {_stack(stage): f"{key}[{stage}]" for stage in range(len(getattr(tiny, key)))}
    ground = Ground(
        network=network,
        stacks=stacks,
        config_of=functools.partial(_shallow, tiny, key),
        attention=attention,
        run=functools.partial(outputs_of, inputs=inputs, arguments=arguments),
    )
    rules, is_ordered = derive_depth(ground)
    mask = meta_mask_of(build(tiny, attention=attention, device="meta"), inputs, arguments)
    if mask is None:
        raise Underivable("its costs depend on the values of its inputs, so they cannot be counted")
    return Family(
        name=tiny.model_type,
        model_types=(tiny.model_type,),
        modality=modality,
        weights=rules,
        stages=key,
        stacks=stacks,
        is_ordered=is_ordered,
        layers="",
        heads="",
        hidden="",
        intermediate="",
        fixed=("heads", "hidden"),
        attention=attention,
        arguments=arguments,
        meta_mask=mask,
    )


def _narrow(config: Any) -> Any:
    """Return a configuration with fewer heads, and widths that are smaller by the same factor."""
    narrow, values = copy.deepcopy(config), vars(config)
    heads = [key for key in HEADS if key in values]
    widths = [key for key in WIDTHS if values.get(key)]
    factor = math.gcd(*(entry for key in heads or widths for entry in _entries(values[key])))
    if not heads:
        factor //= math.gcd(factor, LEAST_WIDTH)
    for key in (*heads, *widths):
        value = values[key]
        less = [entry // factor for entry in _entries(value)]
        setattr(narrow, key, less if isinstance(value, (list, tuple)) else less[0])
    return narrow


def _entries(value: Any) -> list[int]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _shallow(config: Any, key: str, depths: Mapping[str, int]) -> Any:
    """Return a configuration with few layers and a small image."""
    shallow = copy.deepcopy(config)
    count = len(getattr(config, key))
    setattr(shallow, key, [depths.get(_stack(stage), DEPTH) for stage in range(count)])
    shrink_inputs(shallow, stages=count)
    return shallow


def _stack(stage: int) -> str:
    return f"stage{stage + 1}"
