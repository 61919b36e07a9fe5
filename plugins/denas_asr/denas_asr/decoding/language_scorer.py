"""What language models say of the next symbol: those of words, and those of the symbols themselves."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import torch
from torch import Tensor

from .frames import refuse_infinite
from .scorer import rows_of
from .symbols import BOS, EOS, FIRST
from .word_model import WordFusion, Writing


class SymbolModel(Protocol):
    """A language model of symbols, such as a transformer."""

    def __call__(self, texts: Tensor) -> Tensor:
        """Return the log-probabilities of the symbol behind each text, (texts, vocabulary).

        Args:
            texts: (texts, symbols) int64, which begin with `BOS`. The end of a text is `EOS`.
        """


@dataclasses.dataclass(frozen=True, slots=True)
class SymbolFusion:
    """Adds ``weight * log p(symbols, end) + bonus * number of symbols`` to a text."""

    model: SymbolModel
    weight: float
    bonus: float


class WordScorer:
    """Follows a model of words along the rows of a beam; see `Scorer`."""

    def __init__(self, fusion: WordFusion, utterances: int, device: torch.device) -> None:
        self._fusion = fusion
        self._closes = torch.tensor(fusion.closes, dtype=torch.float64, device=device)
        self._writings = [[fusion.begin()] for _ in range(utterances)]

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read a symbol more in every row, and return what each next symbol adds; see `Scorer`."""
        rows = zip(self._writings, symbols.tolist(), parents.tolist(), strict=True)
        self._writings = [
            [self._after(before[parent], symbol) for symbol, parent in zip(written, of, strict=True)]
            for before, written, of in rows
        ]
        gains = self._closes * self._table([[w.closing for w in row] for row in self._writings])
        ends = [[self._fusion.end(w) for w in row] for row in self._writings]
        gains[..., EOS] = self._table(ends).squeeze(-1)
        return gains

    def keep(self, utterances: Tensor) -> None:
        """Forget all utterances but these."""
        self._writings = [self._writings[place] for place in utterances.tolist()]

    def _after(self, writing: Writing, symbol: int) -> Writing:
        return writing if symbol == BOS else self._fusion.after(writing, symbol)

    def _table(self, values: list[list[float]]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self._closes.device)[..., None]


class SymbolScorer:
    """Follows a model of symbols along the rows of a beam; see `Scorer`."""

    def __init__(self, fusion: SymbolFusion, utterances: int, device: torch.device) -> None:
        self._fusion = fusion
        self._texts = torch.zeros(utterances, 1, 0, dtype=torch.int64, device=device)

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read a symbol more in every row, and return what each next symbol adds; see `Scorer`.

        Raises:
            NoResult: the model puts out NaN or an infinite value.
        """
        self._texts = torch.cat([rows_of(self._texts, parents), symbols[..., None]], -1)
        log_probs = self._fusion.model(self._texts.flatten(0, 1))
        refuse_infinite(log_probs)
        gains = self._fusion.weight * log_probs.double().reshape(*symbols.shape, -1)
        gains[..., FIRST:] += self._fusion.bonus
        return gains

    def keep(self, utterances: Tensor) -> None:
        """Forget all utterances but these."""
        self._texts = self._texts[utterances]
