"""Layouts: over which named axes each dimension of each parameter of a network runs.

A layout is text, one rule for each kind of parameter, in a notation after that of einops::

    Layout({
        "embeddings.word_embeddings.weight": "_ hidden",
        "encoder.layer.{layer}.attention.self.query.weight": "(heads[layer] head) hidden",
        "encoder.layer.{layer}.attention.self.query.bias": "(heads[layer] head)",
        "encoder.layer.{layer}.intermediate.dense.weight": "ffn[layer] hidden",
        "h.{layer}.attn.c_attn.weight": "hidden (3 heads[layer] head)",
        "*.LayerNorm.*": "hidden",
    })

In a name, ``{layer}`` stands for a number, the index in a stack of blocks whose axis is called ``layer``, and ``*``
for one or more parts. The first rule whose name matches counts. The text on the right has one term for each dimension:

- ``hidden``: an axis whose members are chosen once for the whole network;
- ``heads[layer]``: an axis of which every block of the stack ``layer`` chooses its own members;
- ``_``: a dimension that is kept whole, whatever its size;
- ``(3 heads[layer] head)``: a dimension that is a product, the outermost factor first; a number is a factor that is
  kept whole, such as the three of a fused projection of queries, keys and values;
- nothing at all, for a parameter without dimensions.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from denas_core.errors import ConfigError, PluginError

_TERM = re.compile(r"\(([^()]*)\)|([^\s()]+)")
_AXIS = re.compile(r"([A-Za-z]\w*)(?:\[([A-Za-z]\w*)\])?")
_STACK = re.compile(r"\{([A-Za-z]\w*)\}")


class Axis(NamedTuple):
    """Members to choose from: ``Axis("hidden")``, or the heads of block 3 of a stack, ``Axis("heads", "layer", 3)``.

    A stack of blocks is an axis too, ``Axis("layer")``, and its members are the blocks.
    """

    name: str
    stack: str = ""
    block: int = 0

    def __str__(self) -> str:
        return f"{self.name}[{self.stack} {self.block}]" if self.stack else self.name


@dataclasses.dataclass(frozen=True, slots=True)
class Factor:
    """What a dimension, or a part of one, runs over.

    Attributes:
        axis: Name of the axis; empty for what is kept whole.
        stack: The stack of which every block has its own members; empty for one choice in the whole network.
        size: Members of a factor that is kept whole; 0 where they follow from the dimension.
    """

    axis: str = ""
    stack: str = ""
    size: int = 0


Dimensions = tuple[tuple[Factor, ...], ...]
"""The factors of each dimension of a parameter."""


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """A parameter of a network, as a layout and sizes of axes explain it.

    Attributes:
        shape: Its shape with every product taken apart.
        axes: The axis of each dimension of `shape`; None for what is kept whole.
        groups: How many dimensions of `shape` make one of the parameter's own.
        stacks: Name of each stack it lies in, where the number of its block begins and ends in its name, and that
            number.
        wild: Where each ``*`` of its rule begins and ends in its name.
    """

    shape: tuple[int, ...]
    axes: tuple[Axis | None, ...]
    groups: tuple[int, ...]
    stacks: tuple[tuple[str, tuple[int, int], int], ...]
    wild: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True)
class Layout:
    """A rule for every parameter of a family of networks; see the head of this module for the notation.

    Attributes:
        rules: The terms of the dimensions by pattern of names.

    Raises:
        PluginError: a rule cannot be read.
    """

    rules: Mapping[str, str]

    def __post_init__(self) -> None:
        _ = self._parsed

    @property
    def axes(self) -> frozenset[str]:
        """Names of all axes and stacks, for each of which a size is needed."""
        named = {
            factor.axis for _, dimensions in self._parsed for factors in dimensions for factor in factors
        }
        return frozenset(named.union(*(pattern.groupindex for pattern, _ in self._parsed)) - {""})

    def pattern_of(self, name: str) -> str | None:
        """Return the key in `rules` of the rule that is for the parameter `name`; None where there is none."""
        found = (
            key for key, (pattern, _) in zip(self.rules, self._parsed, strict=True) if pattern.fullmatch(name)
        )
        return next(found, None)

    def place(self, name: str, shape: Iterable[int], sizes: Mapping[str, int]) -> Placed:
        """Return how the parameter `name` of `shape` lies, in a network of axes of `sizes`.

        Raises:
            PluginError: no rule is for it, its rule has another number of dimensions, or an axis has no size.
            ConfigError: the sizes do not multiply to its shape, or it lies beyond the end of its stack.
        """
        shape = tuple(shape)
        match, dimensions = self._rule(name, shape)
        stacks = tuple((stack, match.span(stack), int(match[stack])) for stack in match.re.groupindex)
        for stack, _, index in stacks:
            if index >= _size(stack, sizes, name):
                raise ConfigError(
                    f"parameter {name!r} lies in block {index} of {stack!r}, which has {sizes[stack]}; the weights "
                    "and the configuration are of different networks"
                )
        if len(shape) != len(dimensions):
            raise PluginError(
                f"parameter {name!r} has {len(shape)} dimensions, {list(shape)}, and its rule {len(dimensions)}; "
                "fix the layout"
            )
        indices = {stack: index for stack, _, index in stacks}
        parts: list[int] = []
        axes: list[Axis | None] = []
        for length, factors in zip(shape, dimensions, strict=True):
            parts += _divided(length, factors, sizes, name)
            axes += [
                Axis(factor.axis, factor.stack, indices.get(factor.stack, 0)) if factor.axis else None
                for factor in factors
            ]
        named = set(match.re.groupindex.values())
        wild = tuple(match.span(group) for group in range(1, match.re.groups + 1) if group not in named)
        return Placed(tuple(parts), tuple(axes), tuple(map(len, dimensions)), stacks, wild)

    def _rule(self, name: str, shape: tuple[int, ...]) -> tuple[re.Match[str], Dimensions]:
        for pattern, dimensions in self._parsed:
            if match := pattern.fullmatch(name):
                return match, dimensions
        raise PluginError(f"the layout has no rule for parameter {name!r}, of shape {list(shape)}; add one")

    @functools.cached_property
    def _parsed(self) -> list[tuple[re.Pattern[str], Dimensions]]:
        return [_parsed_rule(name, terms) for name, terms in self.rules.items()]


def _parsed_rule(name: str, terms: str) -> tuple[re.Pattern[str], Dimensions]:
    def refuse(why: str) -> PluginError:
        return PluginError(f"rule {name!r}: {terms!r} of a layout cannot be read: {why}")

    parts, stacks = [], []
    for part in name.split("."):
        if stack := _STACK.fullmatch(part):
            stacks.append(stack[1])
            parts.append(rf"(?P<{stack[1]}>[0-9]+)")
        elif part == "*":
            parts.append(r"([^.]+(?:\.[^.]+)*)")
        elif not part or any(c in part for c in "*{}"):
            raise refuse(f"{part!r} is not a part of a name; '*' and '{{stack}}' stand alone between dots")
        else:
            parts.append(re.escape(part))
    if len(set(stacks)) < len(stacks):
        raise refuse("a stack is named twice")
    if _TERM.sub("", terms).strip():
        raise refuse("parentheses do not pair")
    dimensions = []
    for product, single in _TERM.findall(terms):
        factors = []
        for text in product.split() if not single else [single]:
            axis = _AXIS.fullmatch(text)
            if text == "_":
                factors.append(Factor())
            elif text.isdecimal() and int(text) > 0:
                factors.append(Factor(size=int(text)))
            elif axis is None:
                raise refuse(f"{text!r} is neither an axis, nor 'axis[stack]', a number or '_'")
            elif axis[2] and axis[2] not in stacks:
                raise refuse(f"{text!r} names a stack that the name has not")
            else:
                factors.append(Factor(axis[1], axis[2] or ""))
        if not factors:
            raise refuse("a product is empty")
        if factors.count(Factor()) > 1:
            raise refuse("a product has '_' more than once")
        dimensions.append(tuple(factors))
    return re.compile(r"\.".join(parts)), tuple(dimensions)


def _divided(length: int, factors: tuple[Factor, ...], sizes: Mapping[str, int], name: str) -> list[int]:
    parts = [_size(factor.axis, sizes, name) if factor.axis else factor.size for factor in factors]
    known = math.prod(part for part in parts if part)
    if 0 in parts and length % known == 0:
        parts[parts.index(0)] = length // known
    elif 0 in parts or known != length:
        product = " x ".join(
            f"{factor.axis} {part}" if factor.axis else str(part or "_")
            for factor, part in zip(factors, parts, strict=True)
        )
        raise ConfigError(
            f"parameter {name!r} has a dimension of {length}, which is not {product}; the weights and the "
            "configuration are of different networks"
        )
    return parts


def _size(axis: str, sizes: Mapping[str, int], name: str) -> int:
    if sizes.get(axis, 0) < 1:
        raise PluginError(f"axis {axis!r} of parameter {name!r} has no size of 1 or more; give one")
    return sizes[axis]
