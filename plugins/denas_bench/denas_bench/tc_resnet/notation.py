"""The notation of the keyword-spotting benchmark: the factor of all widths, then kernel, dilation and stride of blocks.

``w=0.75;k15d4s2|k3d1s1`` has two blocks. The benchmark's file of configurations says the same as a mapping of ``width``
and ``blocks``, a list of mappings of ``kernel``, ``dilation`` and ``stride``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from denas_core.errors import ConfigError

PARTS = ("kernel", "dilation", "stride")
_EXAMPLE = "w=0.75;k15d4s2|k3d1s1"
_SPEC = re.compile(r"\s*w=([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*;(.*)", re.DOTALL)
_BLOCK = re.compile(r"\s*k([0-9]{1,4})d([0-9]{1,4})s([0-9]{1,4})\s*")


def knob_of(block: int, part: str) -> str:
    """Return the name of a knob of a block, counted from 1."""
    return f"block{block}.{part}"


def is_spec(text: str) -> bool:
    """Tell whether `text` is meant as a specification, well-formed or not."""
    return text.lstrip().startswith("w=")


def parse_spec(text: str, *, origin: str) -> dict[str, Any]:
    """Return the knob values of a specification.

    Raises:
        ConfigError: there is no factor, or a block is malformed.
    """
    match = _SPEC.fullmatch(text)
    if match is None:
        raise ConfigError(f"{text[:60]!r} is not a network ({origin}); expected {_EXAMPLE}")
    blocks = []
    for block in match[2].split("|"):
        numbers = _BLOCK.fullmatch(block)
        if numbers is None:
            raise ConfigError(f"{block[:40]!r} is not a block ({origin}); expected blocks as in {_EXAMPLE}")
        blocks.append(dict(zip(PARTS, map(int, numbers.groups()), strict=True)))
    return values_of({"width": float(match[1]), "blocks": blocks}, origin=origin)


def is_configuration(document: Mapping[str, Any]) -> bool:
    """Tell whether a mapping is meant as a network of the file of configurations."""
    return isinstance(document.get("blocks"), list)


def values_of(document: Mapping[str, Any], *, origin: str) -> dict[str, Any]:
    """Return the knob values of a network of the file of configurations; what else a mapping says is not read.

    Raises:
        ConfigError: width, or a part of a block, is not there.
    """
    blocks = document["blocks"]
    values: dict[str, Any] = {"width": document.get("width"), "blocks": len(blocks)}
    for index, block in enumerate(blocks, start=1):
        parts = block if isinstance(block, Mapping) else {}
        for part in PARTS:
            values[knob_of(index, part)] = parts.get(part)
    missing = next((name for name, value in values.items() if value is None), None)
    if missing is not None:
        raise ConfigError(f"the network has no {missing} ({origin})")
    return values


def format_spec(values: Mapping[str, Any]) -> str:
    """Return the specification of canonical values; where a dilation has no effect, it is 1."""
    blocks = (
        f"k{values[knob_of(i, 'kernel')]}d{values.get(knob_of(i, 'dilation'), 1)}s{values[knob_of(i, 'stride')]}"
        for i in range(1, values["blocks"] + 1)
    )
    return f"w={values['width']};{'|'.join(blocks)}"
