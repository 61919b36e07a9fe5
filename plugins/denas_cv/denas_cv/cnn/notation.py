"""The notation of the original DE-NAS: a network as a string of super-blocks.

A structure is one or more ``Type(arguments)``, separated by white space or nothing; an optional ``name|`` before the
arguments is ignored. Convolutions take ``in,out,stride,sub-layers``; residual types take
``in,out,stride,bottleneck,sub-layers``::

    SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperConvK1BNRELU(16,128,1,1)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from denas_core.errors import ConfigError, did_you_mean

from .structure import BLOCK_TYPES, Block

MAX_CHANNELS = 8192
MAX_STRIDE = 8
MAX_LAYERS = 256
"""Largest number of sub-layers in all blocks together."""

_LIMITS = {
    "input channels": MAX_CHANNELS,
    "output channels": MAX_CHANNELS,
    "stride": MAX_STRIDE,
    "bottleneck channels": MAX_CHANNELS,
    "sub-layers": MAX_LAYERS,
}
_START = re.compile(r"\s*(?:Super|\w+\s*\()")
_BLOCK = re.compile(r"\s*(\w+)\s*\(([^()]*)\)\s*")
_NUMBER = re.compile(r"\s*[0-9]{1,6}\s*")


def is_structure(text: str) -> bool:
    """Return whether `text` looks like a structure string, correct or not."""
    return _START.match(text) is not None


def parse_structure(text: str, *, origin: str) -> tuple[Block, ...]:
    """Return the blocks of a structure string.

    Raises:
        ConfigError: a type is unknown, a number of arguments is wrong, an argument is out of range, some text is not a
            block, or a block's input channels differ from the output channels before it. The text names the block and
            its position.
    """
    blocks: list[Block] = []
    position = 0
    while position < len(text) or not blocks:
        where = f"block {len(blocks) + 1} at character {position + 1} ({origin})"
        match = _BLOCK.match(text, position)
        if match is None:
            raise ConfigError(
                f"{where}: expected a block such as 'SuperResK3K3(8,16,1,8,1)', not {text[position : position + 40]!r}"
            )
        block = _block(*match.groups(), where=where)
        if blocks and block.in_channels != blocks[-1].out_channels:
            raise ConfigError(
                f"{where}: {block.type.name} takes {block.in_channels} channels, "
                f"but {blocks[-1].type.name} before it returns {blocks[-1].out_channels}"
            )
        blocks.append(block)
        if sum(block.layers for block in blocks) > MAX_LAYERS:
            raise ConfigError(f"{where}: the structure has more than {MAX_LAYERS} sub-layers")
        position = match.end()
    return tuple(blocks)


def format_structure(blocks: Sequence[Block]) -> str:
    """Return the structure string of `blocks`, without names and white space."""
    return "".join(f"{block.type.name}({','.join(map(str, _arguments(block)))})" for block in blocks)


def _block(name: str, argument_text: str, *, where: str) -> Block:
    if name not in BLOCK_TYPES:
        raise ConfigError(
            f"{where}: unknown type {name[:60]!r}{did_you_mean(name, BLOCK_TYPES)}; "
            "known: SuperConvK{1,3,5,7}BNRELU, SuperResK{3,5,7}K{3,5,7}, SuperResK1K{3,5,7}K1, "
            "SuperResIDWE{1,2,4,6}K{3,5,7}"
        )
    type = BLOCK_TYPES[name]
    meanings = [meaning for meaning in _LIMITS if type.family != "conv" or meaning != "bottleneck channels"]
    arguments = argument_text.rpartition("|")[2].split(",")
    if len(arguments) != len(meanings):
        raise ConfigError(
            f"{where}: {name} takes {len(meanings)} numbers ({', '.join(meanings)}), not {argument_text[:60]!r}"
        )
    numbers = {}
    for meaning, argument in zip(meanings, arguments, strict=True):
        number = int(argument) if _NUMBER.fullmatch(argument) else 0
        if not 1 <= number <= _LIMITS[meaning]:
            raise ConfigError(
                f"{where}: {meaning} of {name} must be a whole number from 1 to {_LIMITS[meaning]}, "
                f"not {argument.strip()[:20]!r}"
            )
        numbers[meaning] = number
    return Block(
        type,
        numbers["input channels"],
        numbers["output channels"],
        numbers["stride"],
        numbers.get("bottleneck channels", 0),
        numbers["sub-layers"],
    )


def _arguments(block: Block) -> tuple[int, ...]:
    ends = (block.in_channels, block.out_channels, block.stride)
    return (*ends, block.layers) if block.type.family == "conv" else (*ends, block.bottleneck, block.layers)
