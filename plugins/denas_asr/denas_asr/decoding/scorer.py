"""What a beam search over symbols asks of whoever has a say in the next one."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Scorer(Protocol):
    """Follows the rows of a beam, for several utterances at once, and says what each next symbol would add.

    Before the first step every utterance has one row, with nothing written.
    """

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read a symbol more in every row, and return what each next symbol adds, (utterances, rows, symbols), float64.

        The column of `EOS` is what the text gains if it ends here.

        Args:
            symbols: What each row has last, (utterances, rows); `BOS` in the first step.
            parents: Row of the step before that this one continues, (utterances, rows). A row may have several.
        """

    def keep(self, utterances: Tensor) -> None:
        """Forget all utterances but these, given by their places."""


def rows_of(values: Tensor, parents: Tensor) -> Tensor:
    """Return the rows `parents`, (utterances, rows), of (utterances, rows before, ...)."""
    index = parents.view(*parents.shape, *[1] * (values.dim() - 2))
    return values.gather(1, index.expand(*parents.shape, *values.shape[2:]))
