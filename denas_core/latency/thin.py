"""Networks of few layers, which are measured where whole networks of a space do not fit into memory.

A model of latency adds up times of operators. A network of few layers has the same operators as one of many, so that a
model that is fitted to such networks predicts larger ones too.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from denas_core.contracts.space import SearchSpace
from denas_core.errors import Infeasible
from denas_core.networks.pieces import Piece
from denas_core.system.machine import memory_bytes
from denas_core.text import quantity
from denas_core.values.architecture import Architecture

MEASURED_SHARE = 0.5
"""Share of the machine's memory that the weights of a network may take if it is measured."""

FLOAT_BYTES = 4


def measures_whole(space: SearchSpace) -> bool:
    """Return whether every network of a space can be measured as a whole."""
    full = space.full()
    return full is None or _excess(space.cost(full)) is None


def check_measurable(cost: Mapping[str, float]) -> None:
    """Check that a network of this cost can be measured.

    Raises:
        Infeasible: its weights take too much memory.
    """
    if (excess := _excess(cost)) is not None:
        raise Infeasible(f"the network cannot be measured: {excess}")


def thin_piece(space: SearchSpace, arch: Architecture) -> Piece:
    """Return the piece of a network that is measured in place of it, see `SearchSpace.pieces`.

    Raises:
        Infeasible: the network has no piece that can be measured.
    """
    pieces = [piece for piece in space.pieces(arch) if piece.inputs is None]
    if len(pieces) > 1:
        return pieces[-1]
    excess = _excess(space.cost(arch))
    raise Infeasible(
        f"no latency can be measured in space {space.id!r}: {excess or 'its networks are whole'}"
    )


def thin_space(space: SearchSpace, piece: Piece) -> SearchSpace:
    """Return a space that builds a piece in place of each network."""
    thin = copy.copy(space)
    # Only this object builds the piece; the class of the space is as before.
    thin.__dict__["build"] = lambda arch, *, head=None, variant="full": piece.build()
    return thin


def _excess(cost: Mapping[str, float]) -> str | None:
    """Return how much memory a network takes and may take; None if it is not too large."""
    available = memory_bytes()
    needed = FLOAT_BYTES * cost.get("params", 0)
    if available is None or needed <= MEASURED_SHARE * available:
        return None
    return f"its weights take {quantity(needed)}B of memory, and {quantity(MEASURED_SHARE * available)}B are there"
