"""The search space ``asr/conformer``: speech recognisers whose encoder has convolutions beside attention."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from denas_asr.network.space import SpeechSpace
from denas_core import option

if TYPE_CHECKING:
    from torch import nn


@dataclasses.dataclass(kw_only=True)
class Conformer(SpeechSpace):
    """Speech recognisers with a Conformer encoder (Gulati et al. 2020, arXiv:2005.08100), with absolute positions.

    Depth and width are chosen once, MLP ratio, number of heads and kernel for each block of the encoder. Front-end and
    decoder are those of ``asr/transformer``.
    """

    of_a_block: ClassVar[Mapping[str, str]] = {
        "mlp_ratio": "mlp_ratios",
        "heads": "heads",
        "kernel": "kernels",
    }
    limits: ClassVar[Mapping[str, float]] = {**SpeechSpace.limits, "kernels": 255}

    depths: list[int] = option([4, 5, 6, 7, 8, 9, 10, 11, 12], "Choices of the number of encoder blocks")
    embed_dims: list[int] = option([144, 192, 240, 288, 336, 384], "Choices of the width")
    mlp_ratios: list[float] = option(
        [2.0, 3.0, 4.0], "Choices of the width of a block's two MLPs, relative to the embedding's"
    )
    kernels: list[int] = option([7, 15, 31], "Choices of the frames that a block's convolution sees; odd")

    def __post_init__(self) -> None:
        """Check what one option asks of another.

        Raises:
            ValueError: as `SpeechSpace`, or a kernel is even.
        """
        super().__post_init__()
        for kernel in self.kernels:
            if kernel % 2 == 0:
                raise ValueError(
                    f"kernels has {kernel}; only an odd one sees as many frames before as after, such as {kernel + 1}"
                )

    def encoder_blocks(
        self, width: int, blocks: Sequence[Mapping[str, Any]], *, residual: bool
    ) -> tuple[list[nn.Module], nn.Module]:
        """Return a `ConformerBlock` for each of `blocks`, each of which has a norm at its end."""
        from torch import nn

        from .block import ConformerBlock

        found: list[nn.Module] = [
            ConformerBlock(
                width,
                block["heads"],
                max(1, int(width * block["mlp_ratio"])),
                block["kernel"],
                dropout=self.dropout,
                residual=residual,
            )
            for block in blocks
        ]
        return found, nn.Identity()
