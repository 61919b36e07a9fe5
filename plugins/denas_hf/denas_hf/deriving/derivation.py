"""Derive the family of a configuration."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from denas_core.errors import ConfigError, describe_error
from denas_core.pretrained import silent_transformers
from denas_hf.family import Family
from denas_hf.modality import CAUSAL_TEXT, TEXT, Modality

from .checks import check, check_shapes
from .depth import DEPTH, Ground, derive_depth
from .facts import blocks_of, meta_mask_of, positions_of, ratio_of, token_head_of, token_types_of
from .growth import Growth, measure
from .inputs import arguments_of, has_class, inputs_of, is_causal, modality_of, outputs_of
from .keys import Keys, keys_of
from .kinds import kinds_of
from .patterns import Patterns
from .rules import Underivable, terms_of
from .silence import Probe, readers_of
from .stages import derive_stages, stages_key
from .tiny import Sizes, build, draw, tiny_config
from .units import find_units

if TYPE_CHECKING:
    from torch import Tensor

GUIDE = "docs/adding-a-family.md"


def derive(config: Any) -> Family:
    """Return the family of the networks of a configuration.

    Raises:
        ConfigError: it cannot be derived; the error names the tensor at fault.
    """
    text = json.dumps(config.to_dict(), sort_keys=True, default=str)
    return _derived(text, _Given(config))


@dataclasses.dataclass(frozen=True)
class _Given:
    """A configuration that is equal to any other, because the text beside it says all."""

    config: Any = dataclasses.field(compare=False, hash=False)


@functools.lru_cache(maxsize=64)
def _derived(text: str, given: _Given) -> Family:
    config = given.config
    try:
        with silent_transformers():
            return _derive(config)
    except Underivable as error:
        raise ConfigError(
            f"networks of model type {config.model_type!r} cannot be made smaller: {error}; {GUIDE} explains how "
            "to write a table"
        ) from error


def _derive(config: Any) -> Family:
    if stages := stages_key(config):
        return derive_stages(config, stages)
    found = keys_of(config)
    if isinstance(found, str):
        raise Underivable(found)
    tiny = _tiny(config, found)
    mask = meta_mask_of(
        build(tiny.growth.config, attention=tiny.attention, device="meta"), tiny.inputs, tiny.arguments
    )
    if mask is None:
        raise Underivable("its costs depend on the values of its inputs, so they cannot be counted")
    base = _base(config, tiny, mask)
    try:
        family = _with_widths(config, tiny, base)
    except Underivable as error:
        try:
            family = _with_layers_only(config, tiny, base)
        except Underivable:
            raise error from None
    check_shapes(config, family)
    return family


def _base(config: Any, tiny: _Tiny, mask: Literal["", "row", "square", "decoder"]) -> Family:
    """Return the family without the rules of weights, and without the width of feed-forward layers."""
    keys, growth, network = tiny.keys, tiny.growth, tiny.probe.network
    patterns = Patterns(growth)
    positions, first = positions_of(growth.config, tiny.probe)
    return Family(
        name=config.model_type,
        model_types=(config.model_type,),
        modality=tiny.modality,
        weights={},
        layers=keys.layers[0],
        heads=keys.heads[0],
        hidden=keys.hidden,
        intermediate="",
        head_width=keys.head_width,
        groups=keys.groups if getattr(growth.config, keys.groups or "_", 1) != 1 else "",
        stacks={patterns.stacks[p]: k for p, k in growth.stacks.items()} or {"layer": keys.layers[0]},
        lists=keys.lists,
        equals=_equals(keys, growth),
        positions=positions,
        first_position=first,
        token_types=token_types_of(config, network, first),
        attention=tiny.attention,
        arguments=tiny.arguments,
        token_head=token_head_of(growth.config, tiny.modality),
        meta_mask=mask,
    )


def _with_layers_only(config: Any, tiny: _Tiny, base: Family) -> Family:
    """Return the family of networks whose widths stay as they are.

    Raises:
        Underivable: not even layers can be left out.
    """

    def config_of(depths: Mapping[str, int]) -> Any:
        layers = dict.fromkeys(tiny.keys.layers, DEPTH)
        layers |= {base.stacks[stack]: depth for stack, depth in depths.items()}
        return tiny_config(config, tiny.keys, Sizes(layers=layers))

    network = build(config_of({}), attention=tiny.attention, device="cpu")
    draw(network, seed=0)
    run = functools.partial(outputs_of, inputs=tiny.inputs, arguments=tiny.arguments)
    ground = Ground(
        network=network, stacks=base.stacks, config_of=config_of, attention=tiny.attention, run=run
    )
    rules, is_ordered = derive_depth(ground)
    return dataclasses.replace(base, weights=rules, is_ordered=is_ordered, fixed=("heads", "hidden"))


def _with_widths(config: Any, tiny: _Tiny, base: Family) -> Family:
    """Return the family of networks whose layers, heads and widths are chosen.

    Raises:
        Underivable: it is not understood how a weight grows with them.
    """
    keys, growth, probe, network = tiny.keys, tiny.growth, tiny.probe, tiny.probe.network
    patterns = Patterns(growth)
    units = find_units(config, keys, growth, patterns, probe)
    block, blocks = blocks_of(config, network, getattr(growth.config, keys.hidden))
    terms, twins = terms_of(keys, growth, patterns, units, readers_of(network), blocks)
    kinds = kinds_of(network, patterns, terms, units)
    weights = {
        pattern: " ".join(parts) + (f" | {kinds[pattern]}" if kinds.get(pattern) else "")
        for pattern, parts in terms.items()
    }
    family = dataclasses.replace(
        base,
        weights=weights,
        intermediate=keys.intermediate[0] if keys.intermediate else "",
        ratio=ratio_of(keys, growth, patterns, units),
        follows=keys.follows,
        blocks=block,
        twins=twins,
    )
    run = functools.partial(outputs_of, inputs=tiny.inputs, arguments=tiny.arguments)
    family = check(family, growth.config, network, run)
    if growth.by_depth:
        # Such a length may also depend on the number of heads.
        depends = any(not growth.is_constant(*place) for place in growth.by_depth)
        more = {"layers", *(("heads",) if depends else ())}
        family = dataclasses.replace(family, fixed=tuple(sorted({*family.fixed, *more})))
    return family


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Tiny:
    keys: Keys
    growth: Growth
    attention: Literal["sdpa", "eager"]
    modality: Modality
    inputs: Mapping[str, Tensor]
    arguments: Mapping[str, Any]
    probe: Probe


def _tiny(config: Any, keys: Keys) -> _Tiny:
    """Return a tiny network that runs, in the first of several ways that work."""
    # Configurations of heads that share keys may leave out the width of a head, which then is a setting all the same.
    default = "head_dim" if keys.groups else ""
    attentions: tuple[Literal["sdpa", "eager"], ...] = ("sdpa", "eager")
    why = ""
    for head in dict.fromkeys((keys.head_width or default, "")):
        for attention in attentions:
            tried = dataclasses.replace(keys, head_width=head)
            try:
                growth = measure(config, tried, attention=attention)
                if head and growth.shapes["head"] == growth.shapes[""]:
                    break
                return _running(config, tried, growth, attention)
            except Underivable:
                raise
            # Transformers raises errors of any kind for sizes that do not fit together.
            except Exception as error:
                why = why or f"a tiny network like it cannot be built or run: {describe_error(error):.200}"
    raise Underivable(why)


def _running(config: Any, keys: Keys, growth: Growth, attention: Literal["sdpa", "eager"]) -> _Tiny:
    network = build(growth.config, attention=attention, device="cpu")
    modality = modality_of(network, growth.config)
    if isinstance(modality, str):
        raise Underivable(modality)
    draw(network, seed=0)
    inputs = inputs_of(modality, growth.config)
    arguments = arguments_of(network)
    probe = Probe(network, lambda: outputs_of(network, inputs, arguments))
    if (
        modality is TEXT
        and has_class(CAUSAL_TEXT.next_token, config)
        and is_causal(network, inputs, arguments)
    ):
        modality = CAUSAL_TEXT
    return _Tiny(
        keys=keys,
        growth=growth,
        attention=attention,
        modality=modality,
        inputs=inputs,
        # Encoders keep nothing between calls, whatever their signature says.
        arguments={} if modality is TEXT else arguments,
        probe=probe,
    )


def _equals(keys: Keys, growth: Growth) -> dict[str, str]:
    """Return the keys that must equal the main key of their size; stacks have numbers of layers of their own."""
    stacks = set(growth.stacks.values())
    found = {key: keys.layers[0] for key in keys.layers[1:] if key not in stacks}
    for names in (keys.heads, keys.intermediate):
        found |= dict.fromkeys(names[1:], *names[:1])
    return found
