"""How the original DE-NAS scored a domain, for comparison with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

SALIENCY: Mapping[str, int] = MappingProxyType({"conv": 1, "ffn": 1, "head": 1})
"""How often saliency counts the weights of each role, unless a recipe says otherwise."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The original's arithmetic for one space.

    Attributes:
        arithmetic: ``ratio``: w_E E / (w_S S) - w_K K; ``sum``: w_D D + w_S S; both divided by 1 + w_L latency.
        weights: The original's default weights by component, and ``latency``. The components of weight 0 had no part in
            it, and by default have none in the DE-Score.
        batch_size: Samples of the noise that the original scored with.
        synaptic_batch_size: Samples of the constant batch that its diversity and saliency saw.
        noise: Standard deviation of the noise on the continuous inputs of that batch, where it drew them at random.
            Diversity sees it; saliency needs inputs without signs.
        variant: Structure it scored: ``plain`` has no residual connections.
        initialisation: ``normal``: weights N(0, 1), biases 0, norm gains 1; ``fresh`` or ``inherited``: as the space's.
        drawn: What ``normal`` draws, see `PassSpec.drawn`.
        diversity: Roles of the weights that diversity looks at.
        saliency: How often saliency counts the weights of each role; a part that is named counts as it says.
        latency_ms: Milliseconds in the unit of latency that its weight is for.
    """

    arithmetic: Literal["ratio", "sum"]
    weights: Mapping[str, float]
    batch_size: int
    synaptic_batch_size: int = 1
    noise: float = 0.0
    variant: Literal["full", "plain"] = "full"
    initialisation: Literal["normal", "fresh", "inherited"] = "fresh"
    drawn: tuple[str, ...] = ()
    diversity: tuple[str, ...] = ("attention",)
    saliency: Mapping[str, int] = dataclasses.field(default_factory=lambda: dict(SALIENCY))
    latency_ms: float = 1.0
