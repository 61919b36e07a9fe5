"""How differently the units of a network answer to different inputs: the kernel of activation patterns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from denas_core import PassSpec, ScoreFailed

from .observed import ObservedScore

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Trace


@dataclasses.dataclass(kw_only=True)
class Naswot(ObservedScore):
    """The log determinant of the kernel that counts, for each pair of samples, the units in the same state.

    Mellor et al. 2021 (arXiv:2006.04647, eq. 3): log |K_H|, K_H[i, j] the number of units of all activation functions
    that samples i and j put on the same side of zero. For GELU and its kind the sign of the pre-activation counts. The
    batch is noise; samples that no unit tells apart make the kernel singular.
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
        # Agreements of +1 and -1 minus disagreements; float32 counts exactly up to 2**24 units.
        signed = active.float() * 2 - 1
        total += (signed @ signed.T).double().add(active.shape[1]).div(2)
    return total
