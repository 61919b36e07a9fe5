"""How differently the units of a network answer to different inputs: patterns of what is above zero."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from denas_core import PassSpec, ScoreFailed

from .observed import ObservedScore

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Trace

_BITS = 64
"""Bits of a word."""


@dataclasses.dataclass(kw_only=True)
class Naswot(ObservedScore):
    """The log determinant of the kernel that counts, for each pair of samples, the units in the same state.

    Mellor et al. 2021 (arXiv:2006.04647, eq. 3): log |K_H|, K_H[i, j] the number of units of all activation functions
    that samples i and j put on the same side of zero. For GELU and its kind the sign of the pre-activation counts. The
    batch is noise; samples that no unit tells apart make the kernel singular. It takes one forward run. In a
    transformer, whose activation functions are those of its feed-forward layers, it is the activation distance of
    Serianni and Kalita 2023 (arXiv:2306.00288).
    """

    kept: ClassVar[PassSpec] = PassSpec(observe=("signs",))

    def value(self, trace: Trace) -> float:
        """Return the log determinant; larger is better.

        Raises:
            ScoreFailed: the network has no activation function, or its kernel is singular.
        """
        import torch

        kernel = agreement_kernel(trace.signs)
        sign, value = torch.linalg.slogdet(kernel.cpu())
        if float(sign) <= 0:
            raise ScoreFailed(
                "the kernel of activation patterns is singular: no unit tells two samples apart"
            )
        return float(value)


@dataclasses.dataclass(kw_only=True)
class Swap(ObservedScore):
    """The number of different patterns that the units have over the samples of a batch.

    Peng et al. 2024 (arXiv:2403.04161): a unit's pattern says for each sample whether it is above zero,
    and each distinct pattern counts once. Here all activation functions count, those of transformers too, as in the
    authors' program for both kinds of networks (arXiv:2605.07378). The regularisation by the number of parameters is
    left out: its two constants are fitted to a space. It takes one forward run. A batch of N samples has at most 2^N
    patterns, so a small batch makes the score constant.
    """

    kept: ClassVar[PassSpec] = PassSpec(observe=("signs",))

    def value(self, trace: Trace) -> float:
        """Return the number; larger is better.

        Raises:
            ScoreFailed: the network has no activation function.
        """
        import torch

        if not trace.signs:
            raise ScoreFailed("the network has no activation function whose sign can be seen")
        codes = torch.cat([_patterns(active) for active in trace.signs], 1)
        if len(codes) == 1:
            return float(len(torch.unique(codes[0])))
        numbers = torch.zeros_like(codes[0])
        for word in codes:
            # Equal numbers for equal patterns so far; sorting rows of several words takes many times as long.
            found, words = torch.unique(word, return_inverse=True)
            _, numbers = torch.unique(numbers * len(found) + words, return_inverse=True)
        return float(numbers.max()) + 1


def _patterns(active: Tensor) -> Tensor:
    """Return the pattern of each unit as bits, (words, units), of (samples, units) booleans."""
    import torch

    words = []
    for start in range(0, len(active), _BITS):
        word = torch.zeros(active.shape[1], dtype=torch.int64, device=active.device)
        for bit, row in enumerate(active[start : start + _BITS]):
            word |= row.long() << bit
        words.append(word)
    return torch.stack(words)


@dataclasses.dataclass(kw_only=True)
class LinearRegions(ObservedScore):
    """The number of samples of a batch that lie in different linear regions.

    Chen et al. 2021 (TE-NAS, arXiv:2102.11535, section 3.1.2): two samples
    lie in one region if all units are on the same side of zero for both. It takes one forward run. It cannot be
    larger than the batch, and any network of usual width reaches that: the paper looks at networks of one input
    channel and images of 3 by 3 points, and at thousands of samples. Read it only where its values differ.
    """

    kept: ClassVar[PassSpec] = PassSpec(observe=("signs",))

    def value(self, trace: Trace) -> float:
        """Return the number, from 1 to the size of the batch; larger is better.

        Raises:
            ScoreFailed: the network has no activation function.
        """
        kernel = agreement_kernel(trace.signs)
        units = sum(active.shape[1] for active in trace.signs)
        # A sample is new if it does not agree in every unit with one before it.
        is_new = (kernel.tril(-1) < units).all(1)
        return float(is_new.sum())


def agreement_kernel(signs: Sequence[Tensor]) -> Tensor:
    """Return how many units each pair of samples puts on the same side, (samples, samples) in float64.

    Args:
        signs: One tensor (samples, units) of booleans for each activation function.

    Raises:
        ScoreFailed: there are none.
    """
    import torch

    if not signs:
        raise ScoreFailed("the network has no activation function whose sign can be seen")
    total = torch.zeros(len(signs[0]), len(signs[0]), dtype=torch.float64, device=signs[0].device)
    for active in signs:
        # Float32 counts exactly up to 2**24 units.
        above = active.float()
        both = (above @ above.T).double()
        counts = both.diagonal()
        # Units that both samples have above zero, and those that neither has.
        total += both * 2 - counts - counts[:, None] + active.shape[1]
    return total
