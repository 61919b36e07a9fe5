"""Which blocks can be left out of a network: the rules of a family whose widths stay as they are.

The blocks of a stack are the modules that appear if its number of layers grows. A tiny network then shows what a
shorter stack computes: the same as the whole network in which the other blocks are skipped. If this does not hold for
every block, such as where every second one shifts its windows, only the last ones can be left out.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from denas_core.pretrained import Axis, Choice, Layout, take

from .checks import agree, loaded
from .kinds import kind_by_module
from .rules import Underivable
from .tiny import build, tensors_of

DEPTH = 3
"""Number of layers of each stack of a tiny network."""

_NUMBER = re.compile(r"(?<![^.])[0-9]+(?![^.])")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ground:
    """A tiny network whose stacks have `DEPTH` layers each.

    Attributes:
        network: The network, with weights.
        stacks: For the name of each stack, its key in the configuration.
        config_of: Returns the configuration with numbers of layers by the names of stacks.
        attention: Name of the attention implementation.
        run: Runs a network, and returns its outputs.
    """

    network: nn.Module
    stacks: Mapping[str, str]
    config_of: Callable[[Mapping[str, int]], Any]
    attention: str
    run: Callable[[nn.Module], Sequence[Tensor]]


def derive_depth(ground: Ground) -> tuple[dict[str, str], bool]:
    """Return the rules of all parameters, and whether the blocks are ordered.

    Raises:
        Underivable: the last block of a stack cannot be left out, or the outputs are random.
    """
    with torch.no_grad():
        if not agree(ground.run(ground.network), ground.run(ground.network)):
            raise Underivable("its outputs are random")
        prefixes = {stack: _prefix_of(ground, stack) for stack in ground.stacks}
        rules, are_alike = _rules(ground.network, prefixes)
        for stack, prefix in prefixes.items():
            if not _can_be_skipped(ground, stack, prefix, DEPTH - 1, rules):
                raise Underivable(
                    f"the outputs are not those of the same network without its block {prefix}{DEPTH - 1}"
                )
            are_alike = are_alike and all(
                _can_be_skipped(ground, stack, prefix, place, rules) for place in range(DEPTH - 1)
            )
    return rules, not are_alike


def _prefix_of(ground: Ground, stack: str) -> str:
    """Return the names of the blocks of a stack up to their number.

    Raises:
        Underivable: another layer adds no block, or several of them.
    """
    before = tensors_of(ground.network)
    deeper = build(ground.config_of({stack: DEPTH + 1}), attention=ground.attention, device="meta")
    prefixes = set()
    for name in tensors_of(deeper).keys() - before.keys():
        for number in _NUMBER.finditer(name):
            start, end = number.span()
            if int(number[0]) == DEPTH and f"{name[:start]}{DEPTH - 1}{name[end:]}" in before:
                prefixes.add(name[:start])
    if len(prefixes) != 1:
        raise Underivable(
            f"another layer in {ground.stacks[stack]} does not add one block to a list of blocks"
        )
    return prefixes.pop()


def _rules(network: nn.Module, prefixes: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """Return the rule of each parameter, and whether all blocks of a stack have the same parameters."""
    tensors = tensors_of(network)
    last = dict.fromkeys(prefixes, DEPTH - 1)
    own: dict[str, str] = {}
    repeated: dict[str, str] = {}
    are_alike = True
    for name, tensor in tensors.items():
        kind = kind_by_module(network, name)
        rule = " ".join("_" * tensor.dim()) + (f" | {kind}" if kind else "")
        pattern = _pattern_of(name, prefixes)
        like = tensors.get(pattern.format(**last))
        if pattern and like is not None and like.shape == tensor.shape:
            repeated[pattern] = rule
        else:
            # A parameter that only the first block has, or that is larger there, stays with this block.
            own[name] = rule
            are_alike = are_alike and not pattern
    return {**own, **repeated}, are_alike


def _pattern_of(name: str, prefixes: Mapping[str, str]) -> str:
    for stack, prefix in prefixes.items():
        number, _, rest = name.removeprefix(prefix).partition(".")
        if name.startswith(prefix) and number.isdecimal():
            return f"{prefix}{{{stack}}}.{rest}"
    return ""


def _can_be_skipped(ground: Ground, stack: str, prefix: str, place: int, rules: Mapping[str, str]) -> bool:
    """Return whether the network without a block computes what the whole network does in which it is skipped."""
    weights = take(
        Layout({name: rule.partition("|")[0] for name, rule in rules.items()}),
        {name: tensor.detach() for name, tensor in tensors_of(ground.network).items()},
        Choice({Axis(stack): tuple(other for other in range(DEPTH) if other != place)}),
        sizes=dict.fromkeys(ground.stacks, DEPTH),
    )
    small = build(ground.config_of({stack: DEPTH - 1}), attention=ground.attention, device="cpu")
    if any(
        name not in weights or weights[name].shape != own.shape for name, own in tensors_of(small).items()
    ):
        return False
    found = ground.run(loaded(small, weights))
    handle = ground.network.get_submodule(f"{prefix}{place}").register_forward_hook(_input, with_kwargs=True)
    try:
        return agree(found, ground.run(ground.network))
    finally:
        handle.remove()


def _input(module: nn.Module, given: tuple[Any, ...], keywords: Mapping[str, Any], output: Any) -> Any:
    """Return the input of a block in place of its output."""
    first = next(value for value in (*given, *keywords.values()) if isinstance(value, Tensor))
    return (first, *output[1:]) if isinstance(output, tuple) else first
