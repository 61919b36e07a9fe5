"""Layouts: the named axes of the dimensions of each parameter of a network.

A layout has one rule for each kind of parameter, in a notation like that of einops::

    Layout({
        "embeddings.word_embeddings.weight": "_ hidden",
        "encoder.layer.{layer}.attention.self.query.weight": "(heads[layer] head) hidden",
        "encoder.layer.{layer}.attention.self.query.bias": "(heads[layer] head)",
        "encoder.layer.{layer}.intermediate.dense.weight": "ffn[layer] hidden",
        "h.{layer}.attn.c_attn.weight": "hidden (3 heads[layer] head)",
        "*.LayerNorm.*": "hidden",
    })

In a name, ``{layer}`` stands for the number of a block in a stack of blocks, whose axis has the name ``layer``, and
``*`` stands for one or more parts of the name. The first rule with a matching name applies. The text on the right has
one term for each dimension:

- ``hidden``: an axis whose members are chosen once for the whole network;
- ``heads[layer]``: an axis whose members are chosen separately for every block of the stack ``layer``;
- ``_``: a dimension of any size that is kept whole;
- ``(3 heads[layer] head)``: a dimension that is a product, with the outermost factor first; a number is a factor that
  is kept whole, such as 3 in a fused projection of queries, keys and values;
- an empty text, for a parameter without dimensions.
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
    """An axis: ``Axis("hidden")``, or ``Axis("heads", "layer", 3)`` for the heads of block 3 of a stack.

    A stack of blocks is an axis too, ``Axis("layer")``. Its members are the blocks.
    """

    name: str
    stack: str = ""
    block: int = 0

    def __str__(self) -> str:
        return f"{self.name}[{self.stack} {self.block}]" if self.stack else self.name


@dataclasses.dataclass(frozen=True, slots=True)
class Factor:
    """A dimension, or one factor of a dimension that is a product.

    Attributes:
        axis: Name of the axis; empty if the factor is kept whole.
        stack: Name of the stack whose blocks choose members separately; empty if there is one choice for the network.
        size: Size of a factor that is kept whole; 0 if it follows from the size of the dimension.
    """

    axis: str = ""
    stack: str = ""
    size: int = 0


Dimensions = tuple[tuple[Factor, ...], ...]
"""The factors of each dimension of a parameter."""


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """A parameter of a network with the axes of its dimensions.

    Attributes:
        shape: Shape of the parameter, in which each factor of a product is a dimension of its own.
        axes: The axis of each dimension of `shape`; None if the dimension is kept whole.
        groups: For each dimension of the parameter, the number of dimensions of `shape` that it consists of.
        stacks: For each stack that contains the parameter: the name of the stack, the span of the number of the block
            in the name of the parameter, and this number.
        wild: The span in the name of the parameter that each ``*`` of its rule matches.
    """

    shape: tuple[int, ...]
    axes: tuple[Axis | None, ...]
    groups: tuple[int, ...]
    stacks: tuple[tuple[str, tuple[int, int], int], ...]
    wild: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True)
class Layout:
    """Rules for every parameter of a family of networks. The text of this module explains the notation.

    Attributes:
        rules: The terms of the dimensions, by pattern of names.

    Raises:
        PluginError: a rule cannot be read.
    """

    rules: Mapping[str, str]

    def __post_init__(self) -> None:
        _ = self._parsed

    @property
    def axes(self) -> frozenset[str]:
        """Names of all axes and stacks. Each of them needs a size."""
        named = {
            factor.axis for _, dimensions in self._parsed for factors in dimensions for factor in factors
        }
        return frozenset(named.union(*(pattern.groupindex for pattern, _ in self._parsed)) - {""})

    def pattern_of(self, name: str) -> str | None:
        """Return the key in `rules` of the rule for the parameter `name`; None if there is no rule."""
        found = (
            key for key, (pattern, _) in zip(self.rules, self._parsed, strict=True) if pattern.fullmatch(name)
        )
        return next(found, None)

    def place(self, name: str, shape: Iterable[int], sizes: Mapping[str, int]) -> Placed:
        """Return the axes of the parameter `name` with `shape`, in a network whose axes have `sizes`.

        Raises:
            PluginError: there is no rule for it, its rule has another number of dimensions, or an axis has no size.
            ConfigError: the sizes do not fit its shape, or the number of its block is beyond the end of the stack.
        """
        shape = tuple(shape)
        match, dimensions = self._rule(name, shape)
        stacks = tuple((stack, match.span(stack), int(match[stack])) for stack in match.re.groupindex)
        for stack, _, index in stacks:
            if index >= _size_of(stack, sizes, name):
                raise ConfigError(
                    f"parameter {name!r} is in block {index} of {stack!r}, which has only {sizes[stack]} blocks; the "
                    "weights and the configuration belong to different networks"
                )
        if len(shape) != len(dimensions):
            raise PluginError(
                f"parameter {name!r} has {len(shape)} dimensions, {list(shape)}, but its rule has {len(dimensions)}; "
                "fix the layout"
            )
        indices = {stack: index for stack, _, index in stacks}
        parts: list[int] = []
        axes: list[Axis | None] = []
        for length, factors in zip(shape, dimensions, strict=True):
            parts += _split_dimension(length, factors, sizes, name)
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
        return [_parse_rule(name, terms) for name, terms in self.rules.items()]


def _parse_rule(name: str, terms: str) -> tuple[re.Pattern[str], Dimensions]:
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
        raise refuse("a parenthesis has no partner")
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
                raise refuse(f"{text!r} names a stack that is missing in the name of the parameter")
            else:
                factors.append(Factor(axis[1], axis[2] or ""))
        if not factors:
            raise refuse("a product is empty")
        if factors.count(Factor()) > 1:
            raise refuse("a product has '_' more than once")
        dimensions.append(tuple(factors))
    return re.compile(r"\.".join(parts)), tuple(dimensions)


def _split_dimension(
    length: int, factors: tuple[Factor, ...], sizes: Mapping[str, int], name: str
) -> list[int]:
    parts = [_size_of(factor.axis, sizes, name) if factor.axis else factor.size for factor in factors]
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
            "configuration belong to different networks"
        )
    return parts


def _size_of(axis: str, sizes: Mapping[str, int], name: str) -> int:
    if sizes.get(axis, 0) < 1:
        raise PluginError(f"axis {axis!r} of parameter {name!r} needs a size of 1 or more")
    return sizes[axis]
