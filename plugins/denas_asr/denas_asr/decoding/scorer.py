"""The interface of scorers, which score the next symbol in a beam search over symbols."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Scorer(Protocol):
    """Scores every possible next symbol for the rows of a beam, for several utterances at once.

    Before the first step, every utterance has one row with an empty text.
    """

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read one more symbol in every row, and return the score that each next symbol adds to the text.

        The result is (utterances, rows, symbols) in float64. Its column `EOS` is the score added if the text ends here.

        Args:
            symbols: The last symbol of each row, (utterances, rows); `BOS` in the first step.
            parents: The row of the previous step that each row continues, (utterances, rows). Several rows may continue
                the same row.
        """

    def keep(self, utterances: Tensor) -> None:
        """Keep only these utterances, given by their indices."""


def rows_of(values: Tensor, parents: Tensor) -> Tensor:
    """Select the rows `parents`, (utterances, rows), from (utterances, rows before, ...)."""
    index = parents.view(*parents.shape, *[1] * (values.dim() - 2))
    return values.gather(1, index.expand(*parents.shape, *values.shape[2:]))
