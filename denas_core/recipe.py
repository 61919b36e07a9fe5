"""How the original DE-NAS scored a domain, for comparison with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The original's arithmetic for one space.

    Attributes:
        arithmetic: ``ratio``: w_E E / (w_S S) - w_K K; ``sum``: w_D D + w_S S; both divided by 1 + w_L latency.
        weights: The original's default weights by component, and ``latency``.
        batch_size: Samples the original scored with.
        variant: Structure it scored: ``plain`` has no residual connections.
        initialisation: ``normal``: weights N(0, 1), biases 0, norm gains 1; ``fresh`` or ``inherited``: as the space's.
    """

    arithmetic: Literal["ratio", "sum"]
    weights: Mapping[str, float]
    batch_size: int
    variant: Literal["full", "plain"] = "full"
    initialisation: Literal["normal", "fresh", "inherited"] = "fresh"
