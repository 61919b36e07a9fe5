"""The search space ``bench/nasbench201``: the 15,625 networks of NAS-Bench-201."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from denas_core import Architecture, Batch, Knob, Outputs, SearchSpace, continuous_batch, option

from .notation import EDGES, OPERATIONS, format_cell, is_cell, knob_of, parse_cell

if TYPE_CHECKING:
    from torch import nn

    from denas_core import BatchKind, Variant
    from denas_core.networks import Piece


@dataclasses.dataclass(kw_only=True)
class NASBench201(SearchSpace):
    """The networks of NAS-Bench-201 (Dong and Yang 2020, arXiv:2001.00326), whose cells choose six operations.

    Cells that compute the same are different architectures where their weights differ: each is a network that was
    trained. Weights begin as each layer of PyTorch begins, which is how the networks were trained.
    """

    classes: int = option(10, "Number of classes", at_least=1)
    image_size: int = option(
        32, "Height and width of the images, in pixels; a multiple of 4", at_least=4, at_most=4096
    )
    channels: int = option(16, "Channels of the first of the three stages", at_least=1, at_most=4096)
    cells: int = option(5, "Cells of a stage", at_least=1, at_most=100)

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "cifar10": {"classes": 10},
        "cifar100": {"classes": 100},
        "imagenet16": {"classes": 120, "image_size": 16},
    }

    def __post_init__(self) -> None:
        """Check the size of the images.

        Raises:
            ValueError: it cannot be halved twice.
        """
        if self.image_size % 4:
            raise ValueError(
                f"image_size {self.image_size} is not a multiple of 4, and the network halves it twice; change it"
            )

    def knobs(self) -> tuple[Knob, ...]:
        """Return the operation of each edge of the cell, named by the node it leads to and the node it comes from."""
        return tuple(Knob(knob_of(*edge), OPERATIONS, layer=index) for index, edge in enumerate(EDGES))

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the structure of `arch`; a `head` takes (samples, 4 x channels).

        The variant ``plain`` has no shortcuts between stages. ``skip_connect`` is an operation of the cell and stays.
        """
        operations = cast("Mapping[str, str]", arch.values)
        return self._network(operations, head=head, residual=variant == "full")

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return a network whose cells only add up, the operations of each stage, and the cell."""
        from .pieces import network_pieces

        return network_pieces(
            cast("Mapping[str, str]", arch.values),
            build=self._network,
            image_size=self.image_size,
            channels=self.channels,
            cells=self.cells,
        )

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` images (samples, 3, image size, image size)."""
        return continuous_batch((3, self.image_size, self.image_size), size, seed=seed, kind=kind)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return the feature map before pooling, and the logits."""
        network = cast("Any", model)
        features = network.features(batch.inputs["x"])
        return Outputs(features=features, logits={"logits": network.head(network.pool(features))})

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return the trunk, which does not depend on the number of classes, and the head."""
        return {"trunk": ("stem.", "layers.", "last."), "head": ("head.",)}

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read a cell as NAS-Bench-201 writes it, see `parse_cell`, or what every space reads."""
        if is_cell(text):
            return self.architecture(parse_cell(text, origin=origin), origin=origin)
        return super().parse(text, origin=origin)

    def format(self, arch: Architecture) -> str:
        """Return the notation of NAS-Bench-201."""
        return format_cell(arch.values)

    def _network(
        self, operations: Mapping[str, str], *, head: nn.Module | None = None, residual: bool = True
    ) -> nn.Module:
        from torch import nn

        from .network import CellNetwork

        return CellNetwork(
            operations,
            channels=self.channels,
            cells=self.cells,
            head=nn.Linear(4 * self.channels, self.classes) if head is None else head,
            residual=residual,
        )
