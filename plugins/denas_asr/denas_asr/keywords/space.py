"""The search space ``asr/keywords``: small convolutional networks for keyword spotting."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from denas_core import Architecture, Batch, Knob, Outputs, SearchSpace, continuous_batch, option

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core import BatchKind, Variant
    from denas_core.networks import Piece

    from .network import Stage

MOST_BLOCKS = 6
STRIDES = (2, 1)
"""A stride of 2 makes the network with fewer FLOPs: later layers see half as many frames."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The choices of the blocks of one kind.

    Attributes:
        channels: Channels of a block.
        kernels: Sizes of its kernels.
    """

    channels: tuple[int, ...]
    kernels: tuple[int, ...]


KINDS = {
    "temporal": Kind(channels=(16, 24, 32, 48, 64), kernels=(3, 5, 7, 9)),
    "separable": Kind(channels=(32, 48, 64, 96, 128, 192, 256), kernels=(3, 5)),
}


@dataclasses.dataclass(kw_only=True)
class Keywords(SearchSpace):
    """Small convolutional networks that tell which word a short recording contains.

    All blocks of a network are of one kind. Temporal blocks are convolutions over time with shortcuts, as in TC-ResNet
    (Choi et al. 2019, arXiv:1904.03814); they need few operations. Separable blocks are depthwise convolutions over
    time and frequency, as in DS-CNN (Zhang et al. 2017, arXiv:1711.07128); they need few parameters. The networks have
    about 5,000 to 500,000 parameters.
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "temporal": {"block_kinds": ["temporal"]},
        "separable": {"block_kinds": ["separable"]},
    }

    classes: int = option(12, "Number of classes", at_least=1)
    mels: int = option(40, "Number of mel bands of a frame", at_least=4, at_most=1024)
    frames: int = option(
        98, "Number of frames of a recording; at 10 ms, 98 are one second", at_least=4, at_most=10_000
    )
    block_kinds: list[str] = option(list(KINDS), "Kinds of blocks to choose from: temporal, separable")

    def __post_init__(self) -> None:
        """Check the kinds.

        Raises:
            ValueError: there is none, or one is unknown.
        """
        if not self.block_kinds or any(kind not in KINDS for kind in self.block_kinds):
            raise ValueError(
                f"block_kinds must have one or more of {', '.join(KINDS)}, got {self.block_kinds}"
            )

    def knobs(self) -> tuple[Knob, ...]:
        """Return the kind of the blocks and, for each kind, their number and the choices of each block."""
        counts = tuple(range(2, MOST_BLOCKS + 1))
        knobs = [Knob("kind", tuple(self.block_kinds))]
        for name in self.block_kinds:
            kind = KINDS[name]
            knobs.append(Knob(f"{name}.blocks", counts, when=("kind", (name,))))
            for block in range(1, MOST_BLOCKS + 1):
                there = (f"{name}.blocks", tuple(count for count in counts if count >= block))
                prefix = f"{name}.block{block}"
                knobs += [
                    Knob(f"{prefix}.channels", kind.channels, layer=block, when=there),
                    Knob(f"{prefix}.kernel", kind.kernels, layer=block, when=there),
                    Knob(f"{prefix}.stride", STRIDES, layer=block, when=there),
                ]
        return tuple(knobs)

    def smallest(self) -> Architecture:
        """Return the network with the fewest parameters among the smallest of each kind."""
        return min(self._ends(0), key=self._params)

    def full(self) -> Architecture:
        """Return the network with the most parameters among the largest of each kind."""
        return max(self._ends(-1), key=self._params)

    def bounded_metrics(self) -> tuple[str, ...]:
        """Return none: the kind with fewer parameters has more FLOPs, and a stride needs a larger shortcut."""
        return ()

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the structure of `arch`; a `head` takes (samples, channels of the last block)."""
        from torch import nn

        from .network import KeywordNetwork

        stages = self._stages(arch)
        head = nn.Linear(stages[-1].channels, self.classes) if head is None else head
        return KeywordNetwork(stages, head=head, residual=variant == "full")

    def cost(self, arch: Architecture) -> dict[str, float]:
        """Return the cost of the whole network, whose input and stem are in memory while a block runs."""
        return self.counted_cost(arch)

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return the stem, the blocks and the head, each on inputs of its size."""
        from torch import nn

        from denas_core.networks import Piece

        from .network import Tail

        stages = self._stages(arch)
        channels, *positions = stages[-1].output
        return [
            *(
                Piece(key=stage, build=stage.build, inputs=functools.partial(_input, stage.shape))
                for stage in stages
            ),
            Piece(
                key=(channels, *positions, self.classes),
                build=lambda: Tail(nn.Linear(channels, self.classes)),
                inputs=functools.partial(_input, (channels, *positions)),
            ),
        ]

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return features (samples, bands, frames)."""
        return continuous_batch((self.mels, self.frames), size, seed=seed, kind=kind)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return the output of the last block, and the logits."""
        network = cast("Any", model)
        features = network.features(batch.inputs["x"])
        return Outputs(features=features, logits={"logits": network.tail(features)})

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return the trunk, which does not depend on the number of classes, and the head."""
        return {"trunk": ("stem.", "blocks."), "head": ("tail.head.",)}

    def residual_ends(self, model: nn.Module) -> list[str]:
        """Return the weight of the last norm of each body with a shortcut."""
        return [
            f"blocks.{index}.body.{len(block.body) - 1}.weight"
            for index, block in enumerate(cast("Any", model).blocks)
            if getattr(block, "shortcut", None) is not None
        ]

    def _ends(self, index: int) -> list[Architecture]:
        """Return the architecture of each kind whose other knobs have their first or last values."""
        values = {knob.name: knob.values[index] for knob in self.knobs()}
        return [self.unchecked(self.canonical({**values, "kind": kind})) for kind in self.block_kinds]

    def _params(self, arch: Architecture) -> float:
        return self.cost(arch)["params"]

    def _stages(self, arch: Architecture) -> list[Stage]:
        from . import network

        values = cast("dict[str, Any]", arch.values)
        kind = values["kind"]
        stem, block = {
            "temporal": (network.TemporalStem, network.TemporalStage),
            "separable": (network.SeparableStem, network.SeparableStage),
        }[kind]
        first = f"{kind}.block1.channels"
        stages: list[Stage] = [stem(shape=(self.mels, self.frames), channels=values[first])]
        for number in range(1, values[f"{kind}.blocks"] + 1):
            prefix = f"{kind}.block{number}"
            stages.append(
                block(
                    shape=stages[-1].output,
                    channels=values[f"{prefix}.channels"],
                    kernel=values[f"{prefix}.kernel"],
                    stride=values[f"{prefix}.stride"],
                )
            )
        return stages


def _input(shape: tuple[int, ...], samples: int) -> tuple[Tensor, ...]:
    import torch

    return (torch.empty((samples, *shape)),)
