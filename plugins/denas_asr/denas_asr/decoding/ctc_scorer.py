"""How likely CTC finds it that the text goes on with each symbol, or ends.

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
"""Less likely symbols count as this: the sums below over a few thousand frames keep nine digits behind the point."""

NO_SYMBOL = -1


class CtcScorer:
    """Adds ``log psi(text + symbol) - log psi(text)``, with psi(text) the probability of all texts that begin with it.

    At the end of the text psi is the probability of this text alone. The beginning and the end of a text are no symbols
    of CTC: probabilities are those of alignments without them. Exact in float64, but for symbols that are less likely
    than e^-700 of the likeliest: they count as impossible.

    Of each row it holds, for each number of frames from none to all, how likely these are together with the text, where
    the last one says the text's last symbol (`_symbol`), or where it is blank (`_blank`).
    """

    def __init__(self, log_probs: Tensor, lengths: Tensor) -> None:
        """Make a scorer.

        Args:
            log_probs: (utterances, frames, symbols), normalised and finite within the lengths.
            lengths: Frames that count, (utterances,).
        """
        utterances, frames, symbols = log_probs.shape
        self._lengths = lengths
        self._inside = inside(lengths, frames)
        outside = ~self._inside[..., None]
        # Beyond the length they are never read, but must be numbers.
        values = log_probs.masked_fill(outside, 0.0).double()
        values[..., BOS] = values[..., EOS] = NEVER
        self._log_probs = values.sub_(values.logsumexp(-1, keepdim=True)).clamp_(min=FLOOR)
        # Relative to the symbol's own best frame: what is small in all of them does not underflow.
        self._peaks = values.masked_fill(outside, FLOOR).amax(1)
        self._shares = (values - self._peaks[:, None]).masked_fill_(outside, NEVER).exp_()
        empty = values.new_zeros(utterances, 1, frames + 1)
        empty[..., 1:] = values[:, None, :, BLANK].cumsum(-1)
        self._blank = empty
        self._symbol = torch.full_like(empty, NEVER)
        self._last = lengths.new_full((utterances, 1), NO_SYMBOL)
        self._known = values.new_zeros(utterances, 1, symbols)

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read a symbol more in every row, and return what each next symbol adds; see `Scorer`."""
        known = values_at(rows_of(self._known, parents), symbols)
        if bool((symbols != BOS).any()):
            self._write(symbols, parents)
        self._known = self._prefixes()
        return self._known - known[..., None]

    def keep(self, utterances: Tensor) -> None:
        """Forget all utterances but these."""
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
        # Where the symbol begins: behind a blank, or at once behind another symbol.
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
        """Return ``x[t] = (x[t-1] + begins[t-1]) * p[t-1]``, ``x[0] = 0``, in logarithms, for all t at once.

        Divided by the product of all p so far, each x is a sum of what has begun until then.
        """
        product = log_probs.cumsum(-1)
        x = product + torch.logcumsumexp(begins - (product - log_probs), -1)
        return torch.cat([torch.full_like(x[..., :1], NEVER), x], -1)

    def _prefixes(self) -> Tensor:
        """Return log psi of each row's text with each symbol behind it, (utterances, rows, symbols)."""
        either = torch.logaddexp(self._blank, self._symbol)
        before = either[..., :-1].masked_fill(~self._inside[:, None], NEVER)
        highest = before.amax(-1, keepdim=True)
        highest = highest.masked_fill(highest == NEVER, 0.0)
        psi = ((before - highest).exp() @ self._shares).log() + highest + self._peaks[:, None]
        # The last symbol once more needs a blank between.
        last = self._last.clamp(min=BLANK)
        repeated = (self._blank[..., :-1] + self._of(last)).masked_fill(~self._inside[:, None], NEVER)
        psi.scatter_(2, last[..., None], repeated.logsumexp(-1, keepdim=True))
        psi[..., BLANK] = psi[..., BOS] = NEVER
        end = self._lengths[:, None, None].expand(-1, psi.shape[1], 1)
        psi[..., EOS] = either.gather(2, end).squeeze(2)
        return psi


def values_at(values: Tensor, symbols: Tensor) -> Tensor:
    """Return of (utterances, rows, symbols) those of one symbol a row, (utterances, rows)."""
    return values.gather(2, symbols[..., None]).squeeze(2)
