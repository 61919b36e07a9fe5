"""The operators of the networks of a space, read piece by piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from denas_core.contracts.space import SearchSpace
from denas_core.networks.pieces import Piece
from denas_core.values.architecture import Architecture

from .operators import Operator, OperatorReader


class PieceReader:
    """Reads the operators of the networks of a space, each piece of them once; see `SearchSpace.pieces`.

    Args:
        space: The space.
        batch_size: Samples of one call.
    """

    def __init__(self, space: SearchSpace, *, batch_size: int) -> None:
        self.space = space
        self.batch_size = batch_size
        self._reader = OperatorReader()
        self._known: dict[Hashable, Counter[Operator]] = {}

    def of_network(self, arch: Architecture) -> Counter[Operator]:
        """Return how often the network of `arch` calls each operator."""
        total: Counter[Operator] = Counter()
        for piece in self.space.pieces(arch):
            if not piece.count:
                continue
            if piece.key not in self._known:
                self._known[piece.key] = self.of_piece(piece)
            for operator, count in self._known[piece.key].items():
                total[operator] += piece.count * count
        return Counter({operator: count for operator, count in total.items() if count})

    def of_piece(self, piece: Piece) -> Counter[Operator]:
        """Return how often a piece calls each operator."""
        inputs = piece.inputs
        if inputs is not None:
            return self._reader.read(
                piece.build, lambda: inputs(self.batch_size), lambda model, given: model(*given)
            )
        return self._reader.read(
            piece.build,
            lambda: self.space.batch(self.batch_size, seed=0, kind="cost"),
            self.space.forward,
        )
