"""Depth times width: a count for comparison with scores, like parameters and FLOPs."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from denas_core.contracts.score import ProxyScore
from denas_core.errors import ScoreFailed

if TYPE_CHECKING:
    from denas_core.contracts.candidate import Candidate

INNER = ("conv", "ffn", "attention.out")
"""Roles of the weights whose outputs are the features of a layer."""


@dataclasses.dataclass(kw_only=True)
class DepthTimesWidth(ProxyScore):
    """The number of layers that produce features, times the geometric mean of their numbers of features."""

    def measure(self, candidate: Candidate) -> float:
        """Return the count, which depends on the shapes of the weights alone.

        Raises:
            ScoreFailed: no layer produces features.
        """
        import torch

        with torch.device("meta"):
            model = candidate.space.build(candidate.arch)
            shapes = {name: weight.shape for name, weight in model.named_parameters()}
            widths = [
                view.of(torch.empty(shapes[view.parameter])).shape[0]
                for view in candidate.space.views(model)
                if any(view.has_role(role) for role in INNER)
            ]
        if not widths:
            raise ScoreFailed("no layer produces features")
        return len(widths) * math.exp(sum(map(math.log, widths)) / len(widths))
