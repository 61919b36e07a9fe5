"""Score how likely a text continues with each symbol, or ends, according to CTC.

Prefix probabilities of Graves 2008 (PhD thesis, section 7.5.2) as algorithm 2 of Watanabe et al. 2017
(doi:10.1109/JSTSP.2017.2763455), without its loops over frames, symbols and hypotheses.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .frames import inside
from .scorer import rows_of
from .symbols import BLANK, BOS, EOS

NEVER = -torch.inf

FLOOR = -1e4
"""Lower log-probabilities are raised to this: sums over a few thousand frames then keep nine digits after the point."""

NO_SYMBOL = -1


class CtcScorer:
    """Adds ``log psi(text + symbol) - log psi(text)``; psi(text) is the probability that the speech begins with `text`.

    At the end of the text, psi is the probability of this text alone. CTC has no symbols for the beginning and the end
    of a text: probabilities are those of alignments without them. Results are exact in float64, except that symbols
    less likely than e^-700 times the likeliest one are treated as impossible.

    For each row and each number of frames from none to all, it stores the log-probability of these frames together with
    the text, once for alignments whose last frame is the text's last symbol (`_symbol`), once for those whose last
    frame is blank (`_blank`).
    """

    def __init__(self, log_probs: Tensor, lengths: Tensor) -> None:
        """Make a scorer.

        Args:
            log_probs: (utterances, frames, symbols), normalised and finite within the lengths.
            lengths: Number of valid frames, (utterances,).
        """
        utterances, frames, symbols = log_probs.shape
        self._lengths = lengths
        self._inside = inside(lengths, frames)
        outside = ~self._inside[..., None]
        # Values behind the length are never used, but must be finite.
        values = log_probs.masked_fill(outside, 0.0).double()
        values[..., BOS] = values[..., EOS] = NEVER
        self._log_probs = values.sub_(values.logsumexp(-1, keepdim=True)).clamp_(min=FLOOR)
        # Probabilities are relative to the symbol's own best frame, so that a symbol that is unlikely in all frames
        # does not underflow.
        self._peaks = values.masked_fill(outside, FLOOR).amax(1)
        self._shares = (values - self._peaks[:, None]).masked_fill_(outside, NEVER).exp_()
        empty = values.new_zeros(utterances, 1, frames + 1)
        empty[..., 1:] = values[:, None, :, BLANK].cumsum(-1)
        self._blank = empty
        self._symbol = torch.full_like(empty, NEVER)
        self._last = lengths.new_full((utterances, 1), NO_SYMBOL)
        self._known = values.new_zeros(utterances, 1, symbols)

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read one more symbol in every row, and return the score of each next symbol; see `Scorer`."""
        known = values_at(rows_of(self._known, parents), symbols)
        if bool((symbols != BOS).any()):
            self._write(symbols, parents)
        self._known = self._prefixes()
        return self._known - known[..., None]

    def keep(self, utterances: Tensor) -> None:
        """Keep only these utterances."""
        self._lengths, self._inside, self._log_probs, self._peaks, self._shares = (
            values[utterances]
            for values in (self._lengths, self._inside, self._log_probs, self._peaks, self._shares)
        )
        self._blank, self._symbol, self._last, self._known = (
            values[utterances] for values in (self._blank, self._symbol, self._last, self._known)
        )

    def _write(self, symbols: Tensor, parents: Tensor) -> None:
        blank, symbol = rows_of(self._blank, parents), rows_of(self._symbol, parents)
        repeats = symbols == self._last.gather(1, parents)
        # A symbol can begin after a blank, or directly after a different symbol.
        begins = torch.logaddexp(blank, symbol.masked_fill(repeats[..., None], NEVER))[..., :-1]
        self._symbol = self._run(begins, self._of(symbols))
        self._blank = self._run(self._symbol[..., :-1], self._of(torch.full_like(symbols[:, :1], BLANK)))
        self._last = symbols

    def _of(self, symbols: Tensor) -> Tensor:
        """Return the log-probability of a row's symbol in each frame, (utterances, rows, frames)."""
        index = symbols[:, None].expand(-1, self._log_probs.shape[1], -1)
        return self._log_probs.gather(2, index).transpose(1, 2)

    @staticmethod
    def _run(begins: Tensor, log_probs: Tensor) -> Tensor:
        """Solve ``x[t] = (x[t-1] + begins[t-1]) * p[t-1]`` with ``x[0] = 0``, in logarithms, for all t at once.

        Divided by the product of all earlier p, each x is a cumulative sum over `begins`.
        """
        product = log_probs.cumsum(-1)
        x = product + torch.logcumsumexp(begins - (product - log_probs), -1)
        return torch.cat([torch.full_like(x[..., :1], NEVER), x], -1)

    def _prefixes(self) -> Tensor:
        """Return log psi of each row's text followed by each symbol, (utterances, rows, symbols)."""
        either = torch.logaddexp(self._blank, self._symbol)
        before = either[..., :-1].masked_fill(~self._inside[:, None], NEVER)
        highest = before.amax(-1, keepdim=True)
        highest = highest.masked_fill(highest == NEVER, 0.0)
        psi = ((before - highest).exp() @ self._shares).log() + highest + self._peaks[:, None]
        # To repeat the last symbol, CTC needs a blank between the two.
        last = self._last.clamp(min=BLANK)
        repeated = (self._blank[..., :-1] + self._of(last)).masked_fill(~self._inside[:, None], NEVER)
        psi.scatter_(2, last[..., None], repeated.logsumexp(-1, keepdim=True))
        psi[..., BLANK] = psi[..., BOS] = NEVER
        end = self._lengths[:, None, None].expand(-1, psi.shape[1], 1)
        psi[..., EOS] = either.gather(2, end).squeeze(2)
        return psi


def values_at(values: Tensor, symbols: Tensor) -> Tensor:
    """Select one symbol for each row from (utterances, rows, symbols); return (utterances, rows)."""
    return values.gather(2, symbols[..., None]).squeeze(2)
