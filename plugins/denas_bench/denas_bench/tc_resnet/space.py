"""The search space ``bench/tc-resnet``: temporal convolutions for keyword spotting."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from denas_core import Architecture, Batch, Knob, Outputs, SearchSpace, continuous_batch, load_mapping, option

from .notation import format_spec, is_configuration, is_spec, knob_of, parse_spec, values_of

if TYPE_CHECKING:
    from torch import nn

    from denas_core import BatchKind, Variant
    from denas_core.networks import Piece

    from .network import Block

MOST_BLOCKS = 6
WIDTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
KERNELS = (1, 3, 5, 7, 9, 11, 13, 15)
DILATIONS = (1, 2, 4)
STRIDES = (2, 1)
"""A stride of 2 makes the smaller network: it halves the frames of all later layers."""


@dataclasses.dataclass(kw_only=True)
class TCResNet(SearchSpace):
    """Residual temporal convolutions for keyword spotting, after TC-ResNet (Choi et al. 2019, arXiv:1904.03814).

    One to six blocks choose kernel, dilation and stride; a factor scales all widths. Weights begin as each layer of
    PyTorch begins, which is how the networks of the benchmark were trained.
    """

    classes: int = option(12, "Number of classes", at_least=1)
    bands: int = option(40, "Bands of the spectrum", at_least=1, at_most=4096)
    frames: int = option(101, "Frames of a recording", at_least=1, at_most=100_000)

    def knobs(self) -> tuple[Knob, ...]:
        """Return the factor of widths, the number of blocks and the choices of each block, numbered from 1."""
        counts = tuple(range(1, MOST_BLOCKS + 1))
        knobs = [Knob("width", WIDTHS), Knob("blocks", counts)]
        for block in counts:
            there = ("blocks", counts[block - 1 :])
            kernel = knob_of(block, "kernel")
            knobs += [
                Knob(kernel, KERNELS, layer=block, when=there),
                # A kernel of 1 looks at one frame, however far apart the next would be.
                Knob(knob_of(block, "dilation"), DILATIONS, layer=block, when=(kernel, KERNELS[1:])),
                Knob(knob_of(block, "stride"), STRIDES, layer=block, when=there),
            ]
        return tuple(knobs)

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the structure of `arch`; a `head` takes (samples, channels of the last block)."""
        from torch import nn

        from .network import TemporalNetwork, channels_of

        width, blocks = cast("float", arch["width"]), self._blocks(arch)
        if head is None:
            head = nn.Linear(channels_of(len(blocks) - 1, width), self.classes)
        return TemporalNetwork(
            bands=self.bands, width=width, blocks=blocks, head=head, residual=variant == "full"
        )

    def cost(self, arch: Architecture) -> dict[str, float]:
        """Return the same as `counted_cost`, computed by formulas."""
        from .counting import count_network
        from .network import channels_of

        width, blocks = cast("float", arch["width"]), self._blocks(arch)
        count = count_network(blocks, width=width, bands=self.bands, frames=self.frames, classes=self.classes)
        head = (channels_of(len(blocks) - 1, width) + 1) * self.classes
        return {
            "params": count.params,
            "trainable_params": count.params,
            "flops": count.flops,
            "size_mb": count.weight_bytes / 1e6,
            "memory_mb": (count.weight_bytes + count.peak_bytes) / 1e6,
            "params_trunk": count.params - head,
            "params_head": head,
        }

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return the stem, each block on sequences of its length, and the head."""
        from .pieces import network_pieces

        return network_pieces(
            self._blocks(arch),
            width=cast("float", arch["width"]),
            bands=self.bands,
            frames=self.frames,
            classes=self.classes,
        )

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` spectra (samples, bands, frames)."""
        return continuous_batch((self.bands, self.frames), size, seed=seed, kind=kind)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return (samples, channels, frames) before pooling, and the logits."""
        network = cast("Any", model)
        features = network.features(batch.inputs["x"])
        return Outputs(features=features, logits={"logits": network.head(network.pool(features))})

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return the trunk, which does not depend on the number of classes, and the head."""
        return {"trunk": ("stem.", "blocks."), "head": ("head.",)}

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read what the benchmark's table or its file of configurations holds, or what every space reads."""
        if is_spec(text):
            return self.architecture(parse_spec(text, origin=origin), origin=origin)
        document = load_mapping(text, origin=origin)
        if is_configuration(document):
            return self.architecture(values_of(document, origin=origin), origin=origin)
        return super().parse(text, origin=origin)

    def format(self, arch: Architecture) -> str:
        """Return the notation of the benchmark's table."""
        return format_spec(arch.values)

    def _blocks(self, arch: Architecture) -> list[Block]:
        from .network import Block

        values = cast("Mapping[str, Any]", arch.values)
        return [
            Block(
                values[knob_of(i, "kernel")],
                values.get(knob_of(i, "dilation"), 1),
                values[knob_of(i, "stride")],
            )
            for i in range(1, values["blocks"] + 1)
        ]
