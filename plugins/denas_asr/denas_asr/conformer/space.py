"""The search space ``asr/conformer``: speech recognisers whose encoder combines attention and convolutions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from denas_asr.network.micro import MICRO
from denas_asr.network.space import SpeechSpace
from denas_core import option

if TYPE_CHECKING:
    from torch import nn


@dataclasses.dataclass(kw_only=True)
class Conformer(SpeechSpace):
    """Speech recognisers with a Conformer encoder (Gulati et al. 2020, arXiv:2005.08100), with absolute positions.

    Depth and width are chosen once; MLP ratio, number of heads and kernel size are chosen for each block of the
    encoder. Front-end and decoder are the same as in ``asr/transformer``. The preset ``micro`` has small networks for
    small devices.
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
    kernels: list[int] = option(
        [7, 15, 31], "Choices of the kernel size of a block's convolution, in frames; odd"
    )

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "micro": {**MICRO, "embed_dims": [64, 80, 96, 112, 128, 144]},
    }

    def __post_init__(self) -> None:
        """Check that the options fit together.

        Raises:
            ValueError: `SpeechSpace` refuses the options, or a kernel size is even.
        """
        super().__post_init__()
        for kernel in self.kernels:
            if kernel % 2 == 0:
                raise ValueError(
                    f"kernels has {kernel}; a kernel size must be odd to be centred on a frame, such as {kernel + 1}"
                )

    def encoder_blocks(
        self, width: int, blocks: Sequence[Mapping[str, Any]], *, residual: bool
    ) -> tuple[list[nn.Module], nn.Module]:
        """Return a `ConformerBlock` for each of `blocks`; each block ends with a norm."""
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
