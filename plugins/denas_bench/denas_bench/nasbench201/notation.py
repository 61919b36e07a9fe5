"""The notation of NAS-Bench-201: the operations of a cell by the node that they lead to.

``|A~0|+|B~0|C~1|+|D~0|E~1|F~2|`` is a cell of four nodes: node 1 is A of node 0, node 2 is the sum of B of node 0 and C
of node 1, node 3 is the sum of D of node 0, E of node 1 and F of node 2. Node 0 is the input, node 3 the output.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from denas_core.errors import ConfigError, did_you_mean

OPERATIONS = ("none", "skip_connect", "avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3")
"""From the smallest to the largest."""

EDGES = ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2))
"""Target and source of each operation, in the order of the notation."""

_EXAMPLE = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"
_EDGE = re.compile(r"\s*([^|~]*?)\s*~\s*([0-9]{1,3})\s*")


def knob_of(target: int, source: int) -> str:
    """Return the name of the knob that chooses the operation from one node to another."""
    return f"op_{target}_{source}"


def is_cell(text: str) -> bool:
    """Tell whether `text` is meant as a cell, well-formed or not."""
    return text.lstrip().startswith("|")


def parse_cell(text: str, *, origin: str) -> dict[str, str]:
    """Return the operations of a cell by the name of their knob.

    Raises:
        ConfigError: the nodes are not three, their sources are others than those of a cell, or an operation is unknown.
    """
    nodes = text.strip().split("+")
    found: list[tuple[int, int]] = []
    operations: dict[str, str] = {}
    for target, node in enumerate(nodes, start=1):
        for edge in node.strip().strip("|").split("|"):
            match = _EDGE.fullmatch(edge)
            if match is None:
                raise ConfigError(
                    f"{edge[:40]!r} is not an operation with its source ({origin}); expected a cell such as {_EXAMPLE}"
                )
            operation, source = match[1], int(match[2])
            if operation not in OPERATIONS:
                raise ConfigError(
                    f"NAS-Bench-201 has no operation {operation[:40]!r} ({origin})"
                    f"{did_you_mean(operation, OPERATIONS) or '; choose from ' + ', '.join(OPERATIONS)}"
                )
            found.append((target, source))
            operations[knob_of(target, source)] = operation
    if tuple(found) != EDGES:
        raise ConfigError(
            f"{text.strip()[:120]!r} has not the six operations of a cell ({origin}); "
            f"expected a cell such as {_EXAMPLE}"
        )
    return operations


def format_cell(operations: Mapping[str, object]) -> str:
    """Return the notation of a cell, from its operations by the name of their knob."""
    return "+".join(
        "|" + "".join(f"{operations[knob_of(target, source)]}~{source}|" for source in range(target))
        for target in (1, 2, 3)
    )
