"""The search space ``asr/transformer``: the speech recognisers of the original DE-NAS."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from denas_asr.network.micro import MICRO
from denas_asr.network.space import SpeechSpace
from denas_core import Architecture
from denas_core.networks import format_tuple, is_tuple, parse_tuple

if TYPE_CHECKING:
    from torch import nn

    from denas_core.legacy import Legacy


@dataclasses.dataclass(kw_only=True)
class Transformer(SpeechSpace):
    """Speech recognisers with a transformer encoder, like those that the original DE-NAS took from SpeechBrain.

    Depth and width are chosen once; MLP ratio and number of heads are chosen for each block of the encoder. The heads
    of a block divide the width among themselves. Front-end and decoder are the same in every network, except for the
    width. The preset ``micro`` has small networks for small devices.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "micro": {**MICRO, "embed_dims": [64, 96, 128, 160, 192]},
    }

    def encoder_blocks(
        self, width: int, blocks: Sequence[Mapping[str, Any]], *, residual: bool
    ) -> tuple[list[nn.Module], nn.Module]:
        """Return a `TransformerBlock` for each of `blocks`, and a layer norm."""
        from torch import nn

        from .block import NORM_EPS, TransformerBlock

        found: list[nn.Module] = [
            TransformerBlock(
                width,
                block["heads"],
                max(1, int(width * block["mlp_ratio"])),
                dropout=self.dropout,
                residual=residual,
            )
            for block in blocks
        ]
        return found, nn.LayerNorm(width, eps=NORM_EPS)

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read the original's tuple notation, see `parse_tuple`, or the notation of every space."""
        if is_tuple(text):
            return self.architecture(parse_tuple(text, origin=origin), origin=origin)
        return super().parse(text, origin=origin)

    def format(self, arch: Architecture) -> str:
        """Return `arch` in the original's tuple notation."""
        return format_tuple(arch.values)

    @classmethod
    def legacy(cls) -> Legacy:
        """Return the translation of the original's configurations for speech recognition."""
        from .legacy import LEGACY

        return LEGACY
