"""Score the next symbol with a language model of words or of symbols."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import torch
from torch import Tensor

from .frames import check_finite
from .scorer import rows_of
from .symbols import BOS, EOS, FIRST
from .word_model import WordFusion, Writing


class SymbolModel(Protocol):
    """A language model over the symbols of the vocabulary, such as a transformer."""

    def __call__(self, texts: Tensor) -> Tensor:
        """Return the log-probabilities of the symbol after each text, (texts, vocabulary).

        Args:
            texts: (texts, symbols) int64; each text begins with `BOS`. In the result, `EOS` stands for the end.
        """


@dataclasses.dataclass(frozen=True, slots=True)
class SymbolFusion:
    """Adds ``weight * log p(symbols, end) + bonus * number of symbols`` to a text."""

    model: SymbolModel
    weight: float
    bonus: float


class WordScorer:
    """Applies a language model of words to the rows of a beam; see `Scorer`."""

    def __init__(self, fusion: WordFusion, utterances: int, device: torch.device) -> None:
        self._fusion = fusion
        self._closes = torch.tensor(fusion.closes, dtype=torch.float64, device=device)
        self._writings = [[fusion.begin()] for _ in range(utterances)]

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read one more symbol in every row, and return the score of each next symbol; see `Scorer`."""
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
        """Keep only these utterances."""
        self._writings = [self._writings[place] for place in utterances.tolist()]

    def _after(self, writing: Writing, symbol: int) -> Writing:
        return writing if symbol == BOS else self._fusion.after(writing, symbol)

    def _table(self, values: list[list[float]]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self._closes.device)[..., None]


class SymbolScorer:
    """Applies a language model of symbols to the rows of a beam; see `Scorer`."""

    def __init__(self, fusion: SymbolFusion, utterances: int, device: torch.device) -> None:
        self._fusion = fusion
        self._texts = torch.zeros(utterances, 1, 0, dtype=torch.int64, device=device)

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read one more symbol in every row, and return the score of each next symbol; see `Scorer`.

        Raises:
            NoResult: the model returns NaN or an infinite value.
        """
        self._texts = torch.cat([rows_of(self._texts, parents), symbols[..., None]], -1)
        log_probs = self._fusion.model(self._texts.flatten(0, 1))
        check_finite(log_probs)
        gains = self._fusion.weight * log_probs.double().reshape(*symbols.shape, -1)
        gains[..., FIRST:] += self._fusion.bonus
        return gains

    def keep(self, utterances: Tensor) -> None:
        """Keep only these utterances."""
        self._texts = self._texts[utterances]
