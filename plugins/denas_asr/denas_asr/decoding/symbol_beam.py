"""Beam search over symbols: texts grow by one symbol at a time, and may end after each."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .hypothesis import Hypothesis
from .scorer import Scorer, rows_of
from .symbols import BOS, EOS, FIRST

END_LENGTHS = 3
END_MARGIN = 10.0
"""End detection of Watanabe et al. 2017 (doi:10.1109/JSTSP.2017.2763455): the search stops once the best texts of three
lengths in a row score worse than the best text of all by more than this margin."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a search.

    Attributes:
        beam: Number of texts kept at each length.
        longest: Greatest number of symbols in the text of each utterance.
        bonus: Greatest bonus that one more symbol can add to a score; all other additions are log-probabilities.
        length_power: Texts are ranked by ``score / (symbols + 1) ** length_power``: 0 by their sum, 1 by their mean.
    """

    beam: int
    longest: Sequence[int]
    bonus: float = 0.0
    length_power: float = 0.0


def search(
    scorers: Sequence[tuple[float, Scorer]], limits: Limits, device: torch.device
) -> list[list[Hypothesis]]:
    """Return at most `beam` texts for each utterance, best first.

    The search stops when no unfinished text can outrank the best finished one, or when longer texts keep getting worse
    (`END_MARGIN`). A text with a score of minus infinity is dropped.

    Args:
        scorers: Scorers with their weights, which are above 0.
        limits: Limits of the search, with one length for each utterance.
        device: The device on which scorers expect symbols.
    """
    ended = [_Ended(limits, longest) for longest in limits.longest]
    active = list(range(len(ended)))
    scores = torch.zeros(len(active), 1, dtype=torch.float64, device=device)
    texts = torch.zeros(len(active), 1, 0, dtype=torch.int64, device=device)
    symbols = torch.full((len(active), 1), BOS, device=device)
    parents = torch.zeros_like(symbols)
    while active:
        total = scores[..., None] + sum(weight * scorer.step(symbols, parents) for weight, scorer in scorers)
        # Scorers may return anything for impossible rows.
        total = total.masked_fill((scores == -torch.inf)[..., None], -torch.inf)
        for place, utterance in enumerate(active):
            ended[utterance].take(texts[place], total[place, :, EOS])
        grown = total[..., FIRST:]
        scores, best = grown.flatten(1).topk(min(limits.beam, grown[0].numel()))
        goes_on = [
            place
            for place, (utterance, highest) in enumerate(zip(active, scores[:, 0].tolist(), strict=True))
            if ended[utterance].may_rise(highest, texts.shape[2] + 1)
        ]
        possible = int((scores > -torch.inf).sum(1).max())
        parents, symbols = best[:, :possible] // grown.shape[2], best[:, :possible] % grown.shape[2] + FIRST
        texts = torch.cat([rows_of(texts, parents), symbols[..., None]], -1)
        scores = scores[:, :possible]
        if len(goes_on) < len(active):
            kept = torch.tensor(goes_on, dtype=torch.int64, device=device)
            active = [active[place] for place in goes_on]
            scores, texts, symbols, parents = (x[kept] for x in (scores, texts, symbols, parents))
            for _, scorer in scorers:
                scorer.keep(kept)
    return [found.best() for found in ended]


class _Ended:
    """The finished texts of one utterance."""

    def __init__(self, limits: Limits, longest: int) -> None:
        self._limits = limits
        self._longest = longest
        self._found: list[tuple[float, Hypothesis]] = []
        self._best_of_length: list[float] = []

    def take(self, texts: Tensor, scores: Tensor) -> None:
        """Add texts of one length, (texts, symbols), with the score of each if it ends here."""
        order = scores.argsort(descending=True, stable=True)
        values = scores[order].tolist()
        self._best_of_length.append(values[0])
        worst = self._found[-1][0] if len(self._found) >= self._limits.beam else -math.inf
        better = [place for place, value in enumerate(values) if self._rank(value, texts.shape[1]) > worst]
        if better:
            rows = texts[order[: len(better)]].tolist()
            for place in better:
                rank = self._rank(values[place], texts.shape[1])
                self._found.append((rank, Hypothesis(tuple(rows[place]), values[place])))
            # The sort is stable, so that of equal scores the shorter text comes first.
            self._found.sort(key=lambda found: -found[0])
            del self._found[self._limits.beam :]

    def may_rise(self, highest: float, symbols: int) -> bool:
        """Return whether a text of `symbols` symbols or more, continued from the score `highest`, may outrank these."""
        if symbols > self._longest or highest == -math.inf:
            return False
        if not self._found:
            return True
        recent = self._best_of_length[-END_LENGTHS:]
        if len(recent) == END_LENGTHS and max(recent) < max(self._best_of_length) - END_MARGIN:
            return False
        # One bonus more is possible because the end of a text may close a word.
        most = highest + max(0.0, self._limits.bonus) * (self._longest - symbols + 1)
        return self._rank(most, symbols if most > 0 else self._longest) > self._found[0][0]

    def best(self) -> list[Hypothesis]:
        """Return the texts, best first."""
        return [hypothesis for _, hypothesis in self._found]

    def _rank(self, score: float, symbols: int) -> float:
        return score / float((symbols + 1) ** self._limits.length_power)
