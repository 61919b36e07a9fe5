"""CTC prefix beam search: find the likeliest texts by summing over the alignments of each.

This is algorithm 1 of Hannun et al. 2014 (arXiv:1408.2873). As in Graves 2012 (Supervised sequence labelling, section
7.5.3), a prefix that left the beam and enters it again has only the probability that its parent passes to it then; its
earlier probability is lost.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .frames import counted
from .hypothesis import Hypothesis
from .symbols import BLANK, FIRST
from .word_model import WordFusion

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

ROOT_SYMBOL = -1


def prefix_beam(log_probs: Tensor, beam: int, lm: WordFusion | None = None) -> list[Hypothesis]:
    """Return at most `beam` texts of an utterance, likeliest first.

    A score is the sum over the alignments that stayed in the beam, in float64, plus the language model's part. The sum
    is at most the text's probability under CTC, and equals it if the beam is wide enough.

    Args:
        log_probs: (frames, symbols), normalised.
        beam: Number of prefixes kept from frame to frame.
        lm: Language model of words with its weight and bonus.

    Raises:
        NoResult: a frame holds NaN or an infinite value.
    """
    counted(log_probs[None], None)
    search = _Search(beam, lm)
    values = log_probs.float() if log_probs.dtype in (torch.float16, torch.bfloat16) else log_probs
    candidates = _candidates(values, beam, lm)
    frames: Numbers = values.double().cpu().numpy()
    for frame, symbols in zip(frames, candidates, strict=True):
        search.read(frame, symbols)
    return search.hypotheses()


def _candidates(log_probs: Tensor, beam: int, lm: WordFusion | None) -> Whole:
    """Return the symbols of each frame that can extend a prefix into the beam, (frames, candidates).

    Two symbols that the language model treats alike keep their order after every prefix, except for the prefix's last
    symbol and for texts that are already in the beam. So the best `beam` + 1 symbols of each such group are enough.
    """
    groups = [torch.arange(FIRST, log_probs.shape[1])]
    if lm is not None:
        closes = torch.tensor(lm.closes[FIRST:])
        groups = [groups[0][closes], groups[0][~closes]]
    found = []
    for group in filter(len, groups):
        group = group.to(log_probs.device)
        values = log_probs[:, group[0] : group[-1] + 1] if len(groups) == 1 else log_probs[:, group]
        found.append(group[values.topk(min(beam + 1, len(group)), sorted=False).indices])
    chosen: Whole = torch.cat(found, 1).cpu().numpy()
    return chosen


class _Search:
    """The beam, and the tree of all prefixes that have ever been in it.

    Each row of the beam has a prefix, the prefix's last symbol, the row of the prefix without that symbol (-1 if it is
    not in the beam), and two log-probabilities of the prefix with the frames so far: for alignments that end in a
    blank, and for those that end in the last symbol.
    """

    def __init__(self, beam: int, lm: WordFusion | None) -> None:
        self._beam = beam
        self._lm = lm
        self._parents = [-1]
        self._symbols = [ROOT_SYMBOL]
        self._children: dict[tuple[int, int], int] = {}
        self._writings = [] if lm is None else [lm.begin()]
        self._closes = np.array([] if lm is None else lm.closes, dtype=bool)
        self._prefixes: Whole = np.zeros(1, dtype=np.int64)
        self._last: Whole = np.array([ROOT_SYMBOL])
        self._parent_rows: Whole = np.array([-1])
        self._blank: Numbers = np.zeros(1)
        self._symbol: Numbers = np.array([-np.inf])
        self._spoken: Numbers = np.zeros(1)
        self._closing: Numbers = np.zeros(1)

    def read(self, frame: Numbers, symbols: Whole) -> None:
        """Process the log-probabilities of one frame; only `symbols` can extend prefixes."""
        both = np.logaddexp(self._blank, self._symbol)
        # The root has no last symbol: index -1 of `frame` is read for it, and the result has probability 0.
        of_last = frame[self._last]
        stay_blank = both + frame[BLANK]
        stay_symbol = self._symbol + of_last
        has_parent = self._parent_rows >= 0
        rows = self._parent_rows[has_parent]
        repeats = self._last[rows] == self._last[has_parent]
        from_parent = np.where(repeats, self._blank[rows], both[rows]) + of_last[has_parent]
        stay_symbol[has_parent] = np.logaddexp(stay_symbol[has_parent], from_parent)

        grown = np.where(symbols == self._last[:, None], self._blank[:, None], both[:, None]) + frame[symbols]
        # These texts are in the beam already, and have received this probability above.
        child, column = np.nonzero(symbols == self._last[has_parent][:, None])
        grown[rows[child], column] = -np.inf

        added = self._spoken[:, None] + self._closes[symbols] * self._closing[:, None] if self._lm else 0.0
        merit = np.concatenate(
            [np.logaddexp(stay_blank, stay_symbol) + self._spoken, (grown + added).ravel()]
        )
        chosen = self._best(merit)
        self._keep(chosen, symbols, stay_blank, np.concatenate([stay_symbol, grown.ravel()]))

    def hypotheses(self) -> list[Hypothesis]:
        """Return the prefixes as texts, best first."""
        scores = np.logaddexp(self._blank, self._symbol) + self._spoken
        if self._lm is not None:
            scores = scores + [self._lm.end(self._writings[prefix]) for prefix in self._prefixes]
        order = np.argsort(-scores, kind="stable")
        return [Hypothesis(self._text(int(self._prefixes[row])), float(scores[row])) for row in order]

    def _best(self, merit: Numbers) -> Whole:
        # A stable sort gives equal scores the same order on every machine.
        order: Whole = np.argsort(-merit, kind="stable")[: self._beam]
        return order[merit[order] > -np.inf]

    def _keep(self, chosen: Whole, symbols: Whole, stay_blank: Numbers, symbol: Numbers) -> None:
        size = len(self._prefixes)
        stays = chosen < size
        rows = np.where(stays, chosen, (chosen - size) // len(symbols))
        prefixes = self._prefixes[rows]
        new = np.flatnonzero(~stays)
        written = symbols[(chosen[new] - size) % len(symbols)]
        prefixes[new] = [
            self._child(*pair) for pair in zip(prefixes[new].tolist(), written.tolist(), strict=True)
        ]
        self._blank = np.where(stays, stay_blank[rows], -np.inf)
        self._symbol = symbol[chosen]
        self._last = self._last[rows]
        self._last[new] = written
        self._prefixes = prefixes
        parents = np.array([self._parents[prefix] for prefix in prefixes])
        matches = parents[:, None] == prefixes
        self._parent_rows = np.where(matches.any(1), matches.argmax(1), -1)
        if self._lm is not None:
            writings = [self._writings[prefix] for prefix in prefixes]
            self._spoken = np.array([writing.score for writing in writings])
            self._closing = np.array([writing.closing for writing in writings])
        else:
            self._spoken = np.zeros(len(prefixes))

    def _child(self, prefix: int, symbol: int) -> int:
        child = self._children.get((prefix, symbol))
        if child is None:
            child = self._children[prefix, symbol] = len(self._symbols)
            self._parents.append(prefix)
            self._symbols.append(symbol)
            if self._lm is not None:
                self._writings.append(self._lm.after(self._writings[prefix], symbol))
        return child

    def _text(self, prefix: int) -> tuple[int, ...]:
        text = []
        while prefix:
            text.append(self._symbols[prefix])
            prefix = self._parents[prefix]
        return tuple(reversed(text))
