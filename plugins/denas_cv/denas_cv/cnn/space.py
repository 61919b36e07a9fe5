"""The search space ``cv/cnn``: the residual super-blocks of the original DE-NAS in the slots of a skeleton."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from denas_core import (
    Architecture,
    Batch,
    BatchKind,
    Knob,
    KnobValue,
    Outputs,
    Recipe,
    SearchSpace,
    Variant,
    canonical_json,
    continuous_batch,
    load_mapping,
    nearest_in_size,
    option,
)
from denas_core.errors import ConfigError
from denas_core.legacy import Legacy

from .counting import count_network
from .notation import format_structure, is_structure, parse_structure
from .skeleton import SKELETONS, Skeleton
from .structure import BLOCK_TYPES, PREFIX, SEARCHED_TYPES, Block
from .units import Unit, units

if TYPE_CHECKING:
    from torch import nn

    from denas_core import WeightView
    from denas_core.networks import Piece

STRUCTURE = "structure"
"""Name of the only value of an architecture that is not made of the knobs' choices."""

MOST_LAYERS = 16
"""Largest number of sub-layers of a super-block made of the knobs' choices."""

TORCH_BYTES = 2**63 - 1
"""Largest number of bytes that torch can address and count."""


@dataclasses.dataclass(kw_only=True)
class CNN(SearchSpace):
    """Residual CNNs for image classification.

    A network has a 3x3 convolution, a residual super-block in each slot of the skeleton, a 1x1 convolution, global
    average pooling and a linear classifier. Each slot has choices of type, channels, bottleneck channels and number of
    sub-layers. The original's structure strings can also be read, even if their numbers are not among the choices.
    """

    classes: int = option(10, "Number of classes", at_least=1, at_most=1_000_000)
    image_size: int = option(32, "Height and width of the images, in pixels", at_least=1, at_most=4096)
    channels: int = option(3, "Channels of the images", at_least=1, at_most=4096)
    skeleton: Literal["cifar", "imagenet", "micro"] = option(
        "cifar",
        "Slots and widths: 'cifar' for images of about 32 pixels, 'imagenet' for 224, 'micro' for small networks at 32",
    )
    max_layers: int = option(
        3, "Largest number of sub-layers of a super-block", at_least=1, at_most=MOST_LAYERS
    )
    inverted: bool = option(False, "Offer inverted depth-wise blocks besides the residual ones")
    squeeze_excitation: bool = option(False, "Give every residual unit squeeze-and-excitation")

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "micro": {"classes": 10, "image_size": 32, "skeleton": "micro"},
        "cifar": {"classes": 10, "image_size": 32, "skeleton": "cifar"},
        "imagenet": {"classes": 1000, "image_size": 224, "skeleton": "imagenet"},
    }

    def knobs(self) -> tuple[Knob, ...]:
        """Return the knobs of each block; a knob's layer is the number of its block, where the stem is 0."""
        return self._knobs(self.max_layers, inverted=self.inverted)

    def fingerprint(self) -> str:
        """Return the options that change a network; the other options only limit the architectures."""
        kept = {
            name: value for name, value in self.options().items() if name not in ("max_layers", "inverted")
        }
        return canonical_json(kept)

    def unchecked(self, canonical: Mapping[str, KnobValue]) -> Architecture:
        """Return the architecture of canonical values, or of a structure string.

        A structure that consists of choices under other options has the same key as under those options.
        """
        if STRUCTURE in canonical:
            blocks = parse_structure(str(canonical[STRUCTURE]), origin=STRUCTURE)
            values = self._knob_values(blocks, self._knobs(MOST_LAYERS, inverted=True))
            if values is not None:
                return dataclasses.replace(super().unchecked(values), values=canonical)
        return super().unchecked(canonical)

    def blocks(self, arch: Architecture) -> tuple[Block, ...]:
        """Return the super-blocks of `arch`, whether made of choices or read from a structure string."""
        if STRUCTURE in arch.values:
            return parse_structure(str(arch[STRUCTURE]), origin=STRUCTURE)
        skeleton, values = self._skeleton, cast("Mapping[str, int]", arch.values)
        channels = values["stem.channels"]
        blocks = [
            Block(BLOCK_TYPES["SuperConvK3BNRELU"], self.channels, channels, skeleton.stem_stride, 0, 1)
        ]
        for i, slot in enumerate(skeleton.slots, start=1):
            type = BLOCK_TYPES[f"{PREFIX}{values[f'block{i}.type']}"]
            out, bottleneck, layers = (
                values[f"block{i}.{part}"] for part in ("channels", "bottleneck", "layers")
            )
            blocks.append(Block(type, channels, out, slot.stride, bottleneck, layers))
            channels = out
        final = Block(BLOCK_TYPES["SuperConvK1BNRELU"], channels, values["final.channels"], 1, 0, 1)
        return (*blocks, final)

    def familiar(self, cost: Mapping[str, float]) -> tuple[str, Architecture] | None:
        """Return a ResNet (He et al. 2015, arXiv:1512.03385) of basic blocks, with as many blocks in each stage."""
        from .resnets import resnets_of_size

        found = nearest_in_size(self, resnets_of_size(self, cost["params"], channels=self.channels), cost)
        return None if found is None else ("a ResNet", found)

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the network of `arch`, not yet initialised; `head` takes (samples, channels of the last block)."""
        from torch import nn

        from .network import ResidualNetwork

        blocks = self.blocks(arch)
        if head is None:
            head = nn.Linear(blocks[-1].out_channels, self.classes)
        return ResidualNetwork(self._units(blocks, residual=variant == "full"), head)

    def bounded_metrics(self) -> tuple[str, ...]:
        """Return parameters and FLOPs, or nothing with squeeze-and-excitation.

        With squeeze-and-excitation, the networks at the ends of the choices are not the extremes of either metric.
        """
        return () if self.squeeze_excitation else super().bounded_metrics()

    def cost(self, arch: Architecture) -> dict[str, float]:
        """Return the same as `counted_cost`, computed by formulas.

        Raises:
            Infeasible: the network is too large for torch to describe.
        """
        blocks = self.blocks(arch)
        count = count_network(
            self._units(blocks),
            channels=self.channels,
            image_size=self.image_size,
            classes=self.classes,
        )
        if count.weight_bytes + count.peak_bytes > TORCH_BYTES:
            return super().cost(arch)
        head = (blocks[-1].out_channels + 1) * self.classes
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
        """Return the residual units, each on images of its size, and the head."""
        from .pieces import network_pieces

        units = [unit for units in self._units(self.blocks(arch)) for unit in units]
        return network_pieces(units, image_size=self.image_size, classes=self.classes)

    def initialise(self, model: nn.Module, *, seed: int) -> nn.Module:
        """Give `model` fresh weights on the CPU; see `initialise_network`."""
        from .network import ResidualNetwork, initialise_network

        return initialise_network(cast("ResidualNetwork", model), seed=seed)

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` images (samples, channels, image size, image size)."""
        return continuous_batch((self.channels, self.image_size, self.image_size), size, seed=seed, kind=kind)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return the feature map before pooling and the logits."""
        network = cast("Any", model)
        features = network.trunk(batch.inputs["x"])
        return Outputs(features=features, logits={"logits": network.head(network.pool(features))})

    def views(self, model: nn.Module) -> list[WeightView]:
        """Return the weights of convolutions and head; a layer is a residual unit or a convolution outside of units."""
        from denas_core import views_by_module

        network = cast("Any", model)
        units = [
            (f"trunk.{i}.{j}", unit) for i, block in enumerate(network.trunk) for j, unit in enumerate(block)
        ]
        return [
            dataclasses.replace(view, parameter=f"{name}.{view.parameter}", layer=layer)
            for layer, (name, module) in enumerate([*units, ("head", network.head)])
            for view in views_by_module(module)
        ]

    def residual_ends(self, model: nn.Module) -> list[str]:
        """Return the weight of the last norm of each residual body (Goyal et al. 2017, arXiv:1706.02677, 5.1)."""
        return [
            f"trunk.{i}.{j}.body.{len(unit.body) - 1}.weight"
            for i, block in enumerate(cast("Any", model).trunk)
            for j, unit in enumerate(block)
            if unit.shortcut is not None
        ]

    @property
    def advises_zero_residuals(self) -> bool:
        """Return true: in the recipe's regime, deep networks gain much and shallow ones lose little."""
        return True

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return two parts: the trunk, which does not depend on the number of classes, and the head."""
        return {"trunk": ("trunk.",), "head": ("head.",)}

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read a structure string of the original, or the notation of every space.

        A structure whose blocks are all choices of the knobs becomes values of the knobs. Any other structure can be
        built and scored, but has no neighbours for mutation.
        """
        if is_structure(text):
            return self._from_structure(text, origin)
        document = load_mapping(text, origin=origin)
        inner = document.get("arch", document)
        if isinstance(inner, dict) and list(inner) == [STRUCTURE]:
            return self._from_structure(str(inner[STRUCTURE]), origin)
        return super().parse(text, origin=origin)

    def format(self, arch: Architecture) -> str:
        """Return the structure string of `arch`."""
        return format_structure(self.blocks(arch))

    def reference_recipe(self) -> Recipe:
        """Return the settings with which the original DE-NAS scores CNNs."""
        return Recipe(
            arithmetic="ratio",
            weights={
                "expressivity": 1.0,
                "complexity": 1.0,
                "diversity": 0.0,
                "saliency": 1.0,
                "latency": 0.0,
            },
            batch_size=64,
            variant="plain",
            initialisation="normal",
        )

    @classmethod
    def legacy(cls) -> Legacy:
        """Return the translation of the original's CNN configurations."""
        from .legacy import LEGACY

        return LEGACY

    @property
    def _skeleton(self) -> Skeleton:
        return SKELETONS[self.skeleton]

    def _knobs(self, max_layers: int, *, inverted: bool) -> tuple[Knob, ...]:
        skeleton = self._skeleton
        types = tuple(type for type in SEARCHED_TYPES if inverted or not type.startswith("IDWE"))
        knobs = [Knob("stem.channels", skeleton.stem_channels, layer=0)]
        for i, slot in enumerate(skeleton.slots, start=1):
            knobs += [
                Knob(f"block{i}.type", types, layer=i),
                Knob(f"block{i}.channels", slot.channels, layer=i),
                Knob(f"block{i}.bottleneck", slot.bottleneck, layer=i),
                Knob(f"block{i}.layers", tuple(range(1, max_layers + 1)), layer=i),
            ]
        return (*knobs, Knob("final.channels", skeleton.final_channels, layer=len(skeleton.slots) + 1))

    def _units(self, blocks: Sequence[Block], *, residual: bool = True) -> Iterator[Iterator[Unit]]:
        for block in blocks:
            yield units(block, residual=residual, squeeze_excitation=self.squeeze_excitation)

    def _from_structure(self, text: str, origin: str) -> Architecture:
        blocks = parse_structure(text, origin=origin)
        if blocks[0].in_channels != self.channels:
            raise ConfigError(
                f"{blocks[0].type.name} takes {blocks[0].in_channels} channels, but the images of {self.id!r} have "
                f"{self.channels} ({origin})"
            )
        values = self._knob_values(blocks, self.knobs())
        return self.unchecked({STRUCTURE: format_structure(blocks)} if values is None else values)

    def _knob_values(self, blocks: Sequence[Block], knobs: Sequence[Knob]) -> dict[str, KnobValue] | None:
        """Return the values of `knobs` that make `blocks`; None if no values do."""
        stem, inner, final = blocks[0], blocks[1:-1], blocks[-1]
        values: dict[str, KnobValue] = {
            "stem.channels": stem.out_channels,
            "final.channels": final.out_channels,
        }
        for i, block in enumerate(inner, start=1):
            values[f"block{i}.type"] = block.type.name.removeprefix(PREFIX)
            values[f"block{i}.channels"] = block.out_channels
            values[f"block{i}.bottleneck"] = block.bottleneck
            values[f"block{i}.layers"] = block.layers
        if any(values.get(knob.name) not in knob.values for knob in knobs):
            return None
        values = {knob.name: values[knob.name] for knob in knobs}
        # Properties without a knob, such as strides and the kernels of the first and last block, are compared here.
        return values if self.blocks(Architecture(self.id, values, "")) == tuple(blocks) else None
