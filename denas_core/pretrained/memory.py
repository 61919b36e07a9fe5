"""Refuse to load a network that does not fit into memory, before the system ends the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from denas_core.errors import Infeasible
from denas_core.system.machine import memory_bytes
from denas_core.text import quantity

if TYPE_CHECKING:
    from torch import nn

MEMORY_SHARE = 0.8
"""Share of the machine's memory that the weights of a network may take."""


def check_fits(network: nn.Module, *, why: str, instead: str) -> None:
    """Check that the weights of a network fit into memory as float32.

    Args:
        network: The network, on the meta device.
        why: What needs it, as the beginning of a sentence.
        instead: What the user can do.

    Raises:
        Infeasible: they do not.
    """
    available = memory_bytes()
    needed = sum(4 * parameter.numel() for parameter in network.parameters())
    if available is not None and needed > MEMORY_SHARE * available:
        raise Infeasible(
            f"{why} the whole network, which takes {quantity(needed)}B of memory, and "
            f"{quantity(MEMORY_SHARE * available)}B are there; {instead}"
        )
