"""The score ``adapters/grad-norm``: how fast the adapters of a network begin to learn."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from denas_core import Candidate, PassSpec, ProxyScore, ScoreFailed, SearchSpace, option

from .kinds import IA3, LoRA

ROLES = ("attention", "ffn")
PARTS = tuple(f".{prefix}" for prefix in (LoRA.prefix, IA3.prefix))


@dataclasses.dataclass(kw_only=True)
class AdapterGradNorm(ProxyScore):
    """The sum of the squares of the gradient of the loss by the weights of all adapters; larger is better.

    In lora, B is 0 at the beginning, so the gradient of A is 0, and the gradient of B is that of the weight times the
    random matrix A. With data (``--data``), the loss is that of their task. Without data, it is a cross entropy of
    noise with random labels. It takes one forward and one backward run a repeat.
    """

    batch_size: int = option(32, "Samples of a batch", at_least=2)
    repeats: int = option(1, "Runs with other heads, other matrices A and other samples", at_least=1)

    def passes(self) -> Sequence[PassSpec]:
        """Return one run a repeat."""
        return [
            PassSpec(
                size=self.batch_size,
                weights="inherited",
                norm="coupled",
                readout="cross entropy",
                gradients="weights",
                roles=ROLES,
                repeat=repeat,
            )
            for repeat in range(self.repeats)
        ]

    def measure(self, candidate: Candidate) -> float:
        """Return the mean over the repeats; 0 for a network without adapters.

        Raises:
            ScoreFailed: the space has no checkpoint, or its networks no adapters.
        """
        check_adapters(candidate.space)
        total = 0.0
        for spec in self.passes():
            gradients = candidate.trace(spec).gradients
            total += sum(
                float(gradient.double().square().sum())
                for name, gradient in gradients.items()
                if any(part in name for part in PARTS)
            )
        return total / self.repeats


def check_adapters(space: SearchSpace) -> None:
    """Check that the networks of a space have adapters over a checkpoint.

    Raises:
        ScoreFailed: they have none.
    """
    if not hasattr(space, "adapters"):
        raise ScoreFailed(f"networks of {space.id!r} have no adapters")
    if not space.inherits:
        raise ScoreFailed(f"space {space.id!r} has no checkpoint; name one in space.model")
