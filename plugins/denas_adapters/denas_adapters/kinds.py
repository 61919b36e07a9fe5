"""The kinds of adapters: how peft describes them, and the values with which they begin."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Generator

    from .projections import Projection

ADAPTER = "default"
"""The name that peft gives to the only adapter of a network."""


class Kind(ABC):
    """A kind of adapters.

    Attributes:
        prefix: How the names of the modules of an adapter begin.
        parts: Names of the parameters of an adapter, relative to the projection.
    """

    prefix: str
    parts: tuple[str, ...]

    @abstractmethod
    def config(
        self, chosen: Mapping[Projection, int], *, before: str = "", saved: Sequence[str] = (), **others: Any
    ) -> Any:
        """Return the configuration of peft.

        Args:
            chosen: The size of the adapter of each projection that has one.
            before: The beginning of the names of all projections.
            saved: Names of other modules that are trained and stored with the adapters.
            others: Other settings of the configuration.
        """

    @abstractmethod
    def begin(self, layer: Any, generator: Generator) -> None:
        """Give the adapter of `layer`, a layer of peft, the values with which a training begins."""


class LoRA(Kind):
    """Adds a product of two matrices to the weight: W + scale * B A.

    Hu et al. 2021 (arXiv:2106.09685). The size is the rank of the product. A is drawn at random and B is 0, so that the
    network begins as the checkpoint.

    Args:
        scale: The factor of the product, which is the same for all ranks.
        dropout: Share of the features that A does not see in a training step.
    """

    prefix = "lora_"
    parts = ("lora_A.default.weight", "lora_B.default.weight")

    def __init__(self, *, scale: float, dropout: float) -> None:
        self._scale, self._dropout = scale, dropout

    def config(
        self, chosen: Mapping[Projection, int], *, before: str = "", saved: Sequence[str] = (), **others: Any
    ) -> Any:
        """Return a configuration in which the most frequent rank is the default, and the others are exceptions."""
        from peft import LoraConfig

        ranks = {f"{before}{projection.module}": rank for projection, rank in chosen.items()}
        usual = Counter(ranks.values()).most_common(1)[0][0] if ranks else 1
        exceptions = {name: rank for name, rank in ranks.items() if rank != usual}
        return LoraConfig(
            r=usual,
            lora_alpha=self._alpha(usual),
            lora_dropout=self._dropout,
            target_modules=list(ranks),
            rank_pattern=dict(exceptions),
            alpha_pattern={name: self._alpha(rank) for name, rank in exceptions.items()},
            fan_in_fan_out=any(projection.is_transposed for projection in chosen),
            modules_to_save=list(saved) or None,
            **others,
        )

    def begin(self, layer: Any, generator: Generator) -> None:
        """Draw A as peft does, from U(-1, 1) divided by the square root of its inputs, and set B to 0."""
        from torch import nn

        nn.init.kaiming_uniform_(layer.lora_A[ADAPTER].weight, a=math.sqrt(5), generator=generator)
        nn.init.zeros_(layer.lora_B[ADAPTER].weight)

    def _alpha(self, rank: int) -> Any:
        alpha = self._scale * rank
        return int(alpha) if alpha == int(alpha) else alpha


class IA3(Kind):
    """Multiplies the outputs of a projection, or the inputs of the last one of a feed-forward layer, by a vector.

    Liu et al. 2022 (arXiv:2205.05638). All numbers are 1 at first, so that the network begins as the checkpoint.
    """

    prefix = "ia3_"
    parts = ("ia3_l.default",)

    def config(
        self, chosen: Mapping[Projection, int], *, before: str = "", saved: Sequence[str] = (), **others: Any
    ) -> Any:
        """Return a configuration of all projections whose size is not 0."""
        from peft import IA3Config

        names = {f"{before}{projection.module}": projection for projection in chosen}
        return IA3Config(
            target_modules=list(names),
            feedforward_modules=[name for name, projection in names.items() if projection.name == "down"],
            fan_in_fan_out=any(projection.is_transposed for projection in chosen),
            modules_to_save=list(saved) or None,
            **others,
        )

    def begin(self, layer: Any, generator: Generator) -> None:
        """Set all numbers to 1."""
        from torch import nn

        nn.init.ones_(layer.ia3_l[ADAPTER])
