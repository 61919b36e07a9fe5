"""Checks of derived rules in a tiny network: other orders of members, and fewer of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from denas_core.errors import ConfigError, PluginError
from denas_core.pretrained import Choice, choose, take
from denas_hf.family import Family
from denas_hf.original import Original

from .rules import Underivable
from .tiny import build, tensors_of

TOLERANCE = 1e-8
"""Largest relative difference that rounding makes in float64."""

Outputs = Callable[[nn.Module], Sequence[Tensor]]


def check(family: Family, config: Any, network: nn.Module, outputs: Outputs) -> Family:
    """Return the family with the sizes that cannot be chosen, after a check that its rules hold in function.

    Args:
        family: The derived family.
        config: The configuration of the tiny network.
        network: The tiny network.
        outputs: Runs a network, and returns its outputs.

    Raises:
        Underivable: they do not.
    """
    try:
        original = Original(config, family)
        source = {name: tensor.detach().clone() for name, tensor in tensors_of(network).items()}
        with torch.no_grad():
            expected = [output.clone() for output in outputs(network)]
            if not agree(outputs(network), expected):
                raise Underivable("its outputs are random")
            fixed = []
            if not _holds(original, source, network, outputs, expected, {"heads", "groups"}):
                fixed.append("heads")
            if any("_whole" in rule for rule in family.weights.values()) and "heads" not in fixed:
                fixed.append("heads")
            if not _holds(original, source, network, outputs, expected, {"ffn"}):
                raise _refused(original, {"ffn"}, "neurons")
            if not _holds(original, source, network, outputs, expected, {"hidden", "block"}):
                fixed.append("hidden")
            loaded(network, source)
            family = dataclasses.replace(family, fixed=tuple(fixed))
            _check_cut(Original(config, family), source, network, outputs)
    except ConfigError as error:
        raise Underivable(str(error)) from error
    return family


def check_shapes(config: Any, family: Family) -> None:
    """Check that the rules describe the network of the configuration itself, which has more layers.

    Raises:
        Underivable: a tensor has another shape.
    """
    original = Original(config, family)
    network = build(config, attention=family.attention, device="meta")
    try:
        sizes = original.sizes(config)
        for name, tensor in tensors_of(network).items():
            original.layout.place(name, tensor.shape, sizes)
    except (ConfigError, PluginError) as error:
        raise Underivable(str(error)) from error


def _holds(
    original: Original,
    source: Mapping[str, Tensor],
    network: nn.Module,
    outputs: Outputs,
    expected: Sequence[Tensor],
    axes: set[str],
) -> bool:
    """Return whether the outputs are the same if the members of some axes are in another order."""
    own = axes | {twin for twin, axis in original.family.twins.items() if axis in axes}
    weights, hidden = _reordered(original, source, own)
    wanted = _reorder(expected, hidden if "hidden" in axes else (), original)
    return agree(outputs(loaded(network, weights)), wanted)


def _reordered(
    original: Original, source: Mapping[str, Tensor], axes: set[str]
) -> tuple[Mapping[str, Tensor], tuple[int, ...]]:
    """Return the weights with the members of some axes in another order, and the order of the hidden features."""
    sizes, generator = original.sizes(original.config), torch.Generator().manual_seed(0)
    order: dict[Any, tuple[int, ...]] = {}
    for axis, members in choose(original.layout, source, source_sizes=sizes, target_sizes=sizes).kept.items():
        moved = tuple(torch.randperm(len(members), generator=generator).tolist())
        order[axis] = moved if axis.name in axes else members
    hidden = next((o for axis, o in order.items() if axis.name in ("hidden", "block")), ())
    part = len(hidden)
    whole = tuple(b * part + index for b in range(original.blocks if part else 1) for index in hidden)
    return take(original.layout, source, Choice(order), sizes=sizes), whole


def _reorder(outputs: Sequence[Tensor], order: tuple[int, ...], original: Original) -> list[Tensor]:
    width = original.dimensions.hidden
    indices = torch.tensor(order)
    return [
        output.index_select(-1, indices) if order and output.shape[-1] == width else output
        for output in outputs
    ]


def _check_cut(
    original: Original, source: Mapping[str, Tensor], network: nn.Module, outputs: Outputs
) -> None:
    """Compare a network of fewer neurons and heads with the network in which nothing is read from the others."""
    full = original.dimensions
    for axes, wanted in (
        (("ffn",), dataclasses.replace(full, intermediate=full.intermediate // 2)),
        (("heads", "groups"), dataclasses.replace(full, heads=full.heads // 2)),
    ):
        if axes == ("ffn",) and not original.family.intermediate:
            continue
        if axes != ("ffn",) and (not original.is_head_free or "heads" in original.family.fixed):
            continue
        config = original.resized(wanted)
        sizes, target = original.sizes(original.config), original.sizes(config)
        choice = choose(original.layout, source, source_sizes=sizes, target_sizes=target)
        own = {twin for twin, axis in original.family.twins.items() if axis in axes} | set(axes)
        silent = dict(source)
        for name, tensor in source.items():
            pattern = original.layout.pattern_of(name)
            if pattern is None or original.kinds[pattern] not in (("attention.out",), ("ffn.out",)):
                continue
            placed = original.layout.place(name, tensor.shape, sizes)
            parts = tensor.reshape(placed.shape).clone()
            for dimension, axis in enumerate(placed.axes):
                if axis is not None and axis.name in own:
                    lost = sorted(set(range(placed.shape[dimension])) - set(choice.kept[axis]))
                    parts.index_fill_(dimension, torch.tensor(lost, dtype=torch.long), 0.0)
            silent[name] = parts.reshape(tensor.shape)
        expected = [output.clone() for output in outputs(loaded(network, silent))]
        small = build(config, attention=original.family.attention, device="cpu")
        found = outputs(loaded(small, take(original.layout, source, choice, sizes=sizes)))
        if not agree(found, expected):
            raise _refused(original, own, "neurons" if "ffn" in own else "heads")
        loaded(network, source)


def loaded(network: nn.Module, weights: Mapping[str, Tensor]) -> nn.Module:
    """Return a network after it got copies of weights by name."""
    for name, tensor in tensors_of(network).items():
        tensor.data = weights[name].clone()
    return network


def agree(found: Sequence[Tensor], expected: Sequence[Tensor]) -> bool:
    """Return whether outputs are the same up to rounding."""
    for one, other in zip(found, expected, strict=True):
        scale = max(1.0, other.abs().max().item())
        if one.shape != other.shape or not (one - other).abs().max().item() <= TOLERANCE * scale:
            return False
    return True


def _refused(original: Original, axes: set[str], what: str) -> Underivable:
    rules = original.family.weights.items()
    holder = next((pattern for pattern, rule in rules if any(axis in rule for axis in axes)), "?")
    return Underivable(
        f"the outputs are not those of the same network without some {what}; one of the tensors of {what} is {holder!r}"
    )
