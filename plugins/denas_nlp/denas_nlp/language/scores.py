"""What networks say about the tokens of a text, and its metrics."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from denas_core import Outputs
from denas_core.errors import PluginError

if TYPE_CHECKING:
    from torch import Tensor

IGNORED = -100
"""The target of a position without a next token, as PyTorch ignores it."""

_LARGEST = 700.0
"""The exponential of more exceeds a floating-point number."""


def scores_of(outputs: Outputs) -> Tensor:
    """Return the scores of tokens (samples, positions, tokens) in float32."""
    name, logits = next(iter(outputs.logits.items()))
    if logits.dim() != 3:
        raise PluginError(
            f"the output {name!r} has the shape {tuple(logits.shape)}; under a head for tokens a network gives "
            "(samples, positions, tokens)"
        )
    return logits.float()


def next_tokens(ids: Tensor, mask: Tensor | None) -> Tensor:
    """Return the token after each position (samples, positions); `IGNORED` where there is none.

    Args:
        ids: The tokens (samples, positions).
        mask: True where a token is not padding; None if no token is padding.
    """
    wanted = ids.roll(-1, 1).clone()
    if mask is not None:
        wanted = wanted.masked_fill(~mask.roll(-1, 1), IGNORED)
    wanted[:, -1] = IGNORED
    return wanted


def cross_entropy(scores: Tensor, wanted: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Return the mean cross entropy over the positions with a next token, a scalar."""
    from torch.nn import functional as F

    return F.cross_entropy(
        scores.flatten(0, 1), wanted.flatten(), label_smoothing=label_smoothing, ignore_index=IGNORED
    )


def token_sums(scores: Tensor, wanted: Tensor) -> Tensor:
    """Return for each sample (samples, 3) the sum of cross entropies, the number of likeliest tokens that are right,
    and the number of tokens, in float64.
    """
    import torch
    from torch.nn import functional as F

    entropies = F.cross_entropy(scores.transpose(1, 2), wanted, ignore_index=IGNORED, reduction="none")
    is_wanted = wanted >= 0
    right = (scores.argmax(-1) == wanted) & is_wanted
    return torch.stack([part.double().sum(1) for part in (entropies, right, is_wanted)], -1)


def token_metrics(sums: Tensor, *, bytes: int) -> dict[str, float]:
    """Return perplexity, share of right tokens, number of tokens, and bits for each byte.

    Bits for each byte can be compared between vocabularies, perplexities cannot.

    Args:
        sums: The rows of `token_sums` of all samples.
        bytes: Number of bytes of the texts; 0 if it is not known.
    """
    entropy, right, count = (float(value) for value in sums[:, :3].sum(0))
    found = {
        "perplexity": math.exp(min(entropy / max(count, 1.0), _LARGEST)),
        "accuracy": right / max(count, 1.0),
        "tokens": count,
    }
    return {**found, "bits_per_byte": entropy / math.log(2) / bytes} if bytes else found


def unigram_perplexity(tokens: Iterable[int], model: Sequence[float]) -> float:
    """Return the perplexity of a unigram model on tokens, of which there is at least one.

    Args:
        tokens: The tokens.
        model: The logarithm of the probability of each token.
    """
    return math.exp(-statistics.fmean(model[token] for token in tokens))
