"""Best path decoding of CTC: take the likeliest symbol of each frame."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .frames import counted, inside
from .symbols import BLANK, FIRST


def greedy(log_probs: Tensor, lengths: Tensor | None = None) -> list[list[int]]:
    """Return the symbols of each utterance's likeliest alignment: repeated symbols are merged, then blanks removed.

    This is best path decoding of Graves et al. 2006 (Connectionist temporal classification, ICML, section 3.2). CTC has
    no symbols for the beginning and the end of a text. Of equally likely symbols, the first is taken.

    Args:
        log_probs: (utterances, frames, symbols); logits give the same result, since only their order matters.
        lengths: Number of valid frames, (utterances,); None if all are valid.

    Raises:
        NoResult: a valid frame holds NaN or an infinite value.
    """
    lengths = counted(log_probs, lengths)
    if not log_probs.shape[1]:
        return [[] for _ in log_probs]
    highest, best = log_probs[..., FIRST:].max(-1)
    best = torch.where(log_probs[..., BLANK] >= highest, BLANK, best + FIRST)
    before = F.pad(best[:, :-1], (1, 0), value=BLANK)
    written = (best != BLANK) & (best != before) & inside(lengths, log_probs.shape[1])
    return [row[keep].tolist() for row, keep in zip(best.cpu(), written.cpu(), strict=True)]
