"""The search space ``cv/vit``: vision transformers as in AutoFormer, with choices for each block."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

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
    nearest_in_size,
    option,
)
from denas_core.legacy import Legacy
from denas_core.networks import (
    LARGEST_CHOICES,
    check_choices,
    format_tuple,
    is_tuple,
    layered_knobs,
    parse_tuple,
)

if TYPE_CHECKING:
    from torch import nn

    from denas_core import WeightView
    from denas_core.networks import Piece

    from .network import Shape

DEIT_RATIO = 4.0
_CHOICES = ("depths", "embed_dims", "mlp_ratios", "heads")


@dataclasses.dataclass(kw_only=True)
class ViT(SearchSpace):
    """Vision transformers for image classification, as in AutoFormer (Chen et al. 2021, arXiv:2107.00651).

    Depth and embedding width are chosen once; MLP ratio and number of heads are chosen for each block. A head has 64
    features for any embedding width. Blocks may have relative positions on keys and values.
    """

    classes: int = option(10, "Number of classes", at_least=1)
    image_size: int = option(224, "Height and width of the images, in pixels", at_least=1, at_most=4096)
    patch_size: int = option(16, "Height and width of a patch, in pixels", at_least=1, at_most=4096)
    channels: int = option(3, "Channels of the images", at_least=1, at_most=4096)
    depths: list[int] = option([12, 13, 14], "Choices of the number of blocks")
    embed_dims: list[int] = option([192, 216, 240], "Choices of the embedding width")
    mlp_ratios: list[float] = option([3.5, 4.0], "Choices of the MLP's width, relative to the embedding's")
    heads: list[int] = option([3, 4], "Choices of the number of heads of a block")
    head_size: int = option(
        64,
        "Number of features of a head; 0 divides the embedding width among the heads",
        at_least=0,
        at_most=1024,
    )
    relative_position: bool = option(True, "Give every block relative positions on keys and values")
    max_relative_position: int = option(
        14, "Longest distance between patches that relative positions distinguish", at_least=1, at_most=512
    )
    absolute_position: bool = option(True, "Give every token a learned position")
    global_pooling: bool = option(True, "Classify the mean of the patches, not the class token")
    drop_path: float = option(
        0.1, "Probability of stochastic depth for the last block in training", at_least=0, at_most=0.9
    )

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "micro": {
            "classes": 10,
            "image_size": 32,
            "patch_size": 4,
            "depths": [2, 3, 4, 5, 6, 7, 8],
            "embed_dims": [64, 96, 128, 160],
            "mlp_ratios": [2.0, 3.0, 4.0],
            "heads": [2, 3, 4, 5],
            "head_size": 32,
            "max_relative_position": 7,
        },
        "tiny": {
            "classes": 1000,
            "depths": [12, 13, 14],
            "embed_dims": [192, 216, 240],
            "mlp_ratios": [3.5, 4.0],
            "heads": [3, 4],
        },
        "small": {
            "classes": 1000,
            "depths": [12, 13, 14],
            "embed_dims": [320, 384, 448],
            "mlp_ratios": [3.0, 3.5, 4.0],
            "heads": [5, 6, 7],
        },
        "base": {
            "classes": 1000,
            "depths": [14, 15, 16],
            "embed_dims": [528, 576, 624],
            "mlp_ratios": [3.0, 3.5, 4.0],
            "heads": [8, 9, 10],
        },
        "denas": {
            "classes": 10,
            "depths": [12, 13, 14, 15, 16],
            "embed_dims": [192, 216, 240, 320, 384, 448, 528, 576, 624],
            "mlp_ratios": [3.0, 3.5, 4.0],
            "heads": [3, 4, 5, 6, 7, 9, 10],
        },
    }

    def __post_init__(self) -> None:
        """Check that the options fit together.

        Raises:
            ValueError: patches do not fill an image, choices are out of order or range, or a number of heads does not
                divide an embedding width.
        """
        if self.image_size % self.patch_size:
            raise ValueError(
                f"image_size {self.image_size} is not a multiple of patch_size {self.patch_size}; change one of them"
            )
        for name in _CHOICES:
            check_choices(name, getattr(self, name), LARGEST_CHOICES[name])
        if not self.head_size:
            for width, heads in itertools.product(self.embed_dims, self.heads):
                if width % heads:
                    raise ValueError(
                        f"head_size 0 divides the embedding width among the heads, but {heads} heads cannot divide "
                        f"{width}; give a head_size, or other embed_dims or heads"
                    )

    def knobs(self) -> tuple[Knob, ...]:
        """Return the knobs of the network, then those of each block, numbered from 1."""
        return layered_knobs(
            depths=self.depths, embed_dims=self.embed_dims, mlp_ratio=self.mlp_ratios, heads=self.heads
        )

    def familiar(self, cost: Mapping[str, float]) -> tuple[str, Architecture] | None:
        """Return a DeiT (Touvron et al. 2020, arXiv:2012.12877): equal blocks, MLP ratio 4, heads that fit."""
        ratio = min(self.mlp_ratios, key=lambda choice: abs(choice - DEIT_RATIO))

        def deit(depth: int, width: int) -> Architecture:
            heads = min(self.heads, key=lambda choice: abs(choice * (self.head_size or 64) - width))
            values: dict[str, KnobValue] = {"depth": depth, "embed_dim": width}
            for layer in range(1, depth + 1):
                values |= {f"layer{layer}.mlp_ratio": ratio, f"layer{layer}.heads": heads}
            return self.architecture(values)

        found = nearest_in_size(
            self, itertools.starmap(deit, itertools.product(self.depths, self.embed_dims)), cost
        )
        return None if found is None else ("a DeiT", found)

    def fingerprint(self) -> str:
        """Return the options that change a network; the others only limit the architectures or change the training."""
        left_out = {*_CHOICES, "drop_path"}
        if not self.relative_position:
            left_out.add("max_relative_position")
        return canonical_json({name: value for name, value in self.options().items() if name not in left_out})

    def shape(self, arch: Architecture, *, residual: bool = True) -> Shape:
        """Return the sizes and options of the network of `arch`."""
        from .network import Shape

        values = cast("Mapping[str, Any]", arch.values)
        width = values["embed_dim"]
        layers = []
        for layer in range(1, values["depth"] + 1):
            heads = values[f"layer{layer}.heads"]
            hidden = max(1, int(width * values[f"layer{layer}.mlp_ratio"]))
            layers.append((heads, self.head_size or width // heads, hidden))
        return Shape(
            channels=self.channels,
            side=self.image_size // self.patch_size,
            patch_size=self.patch_size,
            width=width,
            layers=layers,
            max_distance=self.max_relative_position if self.relative_position else None,
            absolute_position=self.absolute_position,
            global_pooling=self.global_pooling,
            residual=residual,
            drop_path=self.drop_path,
        )

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the network of `arch`, not yet initialised; `head` takes (samples, embedding width)."""
        from torch import nn

        from .network import VisionTransformer

        shape = self.shape(arch, residual=variant == "full")
        return VisionTransformer(shape, nn.Linear(shape.width, self.classes) if head is None else head)

    def bounded_metrics(self) -> tuple[str, ...]:
        """Return parameters and FLOPs, or nothing if more heads can make a network cheaper.

        This is so if heads divide the width among themselves: relative positions then get cheaper with more heads.
        """
        return () if self.relative_position and not self.head_size else super().bounded_metrics()

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return networks of one block, and one of two blocks."""
        from denas_core.networks import pieces_of_blocks, pieces_of_choices

        values = cast("Mapping[str, Any]", arch.values)
        width = values["embed_dim"]

        def build(blocks: Sequence[tuple[Any, ...]]) -> nn.Module:
            network: dict[str, KnobValue] = {"depth": len(blocks), "embed_dim": width}
            for layer, (ratio, heads) in enumerate(blocks, start=1):
                network |= {f"layer{layer}.mlp_ratio": ratio, f"layer{layer}.heads": heads}
            return self.build(self.unchecked(network))

        blocks = [
            (values[f"layer{layer}.mlp_ratio"], values[f"layer{layer}.heads"])
            for layer in range(1, values["depth"] + 1)
        ]
        if not self.bounded_metrics():
            # The first choice is then not the one that needs the least memory.
            return pieces_of_blocks(blocks, build, key=width)
        return pieces_of_choices(blocks, (self.mlp_ratios[0], self.heads[0]), build, key=width)

    def initialise(self, model: nn.Module, *, seed: int) -> nn.Module:
        """Give `model` fresh weights on the CPU; see `initialise_network`."""
        from .network import VisionTransformer, initialise_network

        return initialise_network(cast("VisionTransformer", model), seed=seed)

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` images (samples, channels, image size, image size)."""
        return continuous_batch((self.channels, self.image_size, self.image_size), size, seed=seed, kind=kind)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return the tokens before pooling, (samples, tokens, embedding width), and the logits."""
        network = cast("Any", model)
        tokens = network.tokens(batch.inputs["x"])
        features = tokens[:, 1:] if self.global_pooling else tokens
        return Outputs(features=features, logits={"logits": network.head(network.pool(tokens))})

    def views(self, model: nn.Module) -> list[WeightView]:
        """Return the weights of patch embedding, attention, feed-forward layers and head; a layer is a block."""
        from denas_core import WeightView, views_by_module

        network = cast("Any", model)
        views = [WeightView("embedding.patches.weight", "embed", 0)]
        for layer, block in enumerate(network.blocks, start=1):
            name = f"blocks.{layer - 1}"
            rows = block.attention.out.in_features
            views += [
                WeightView(
                    f"{name}.attention.qkv.weight",
                    f"attention.{part}",
                    layer,
                    rows=(index * rows, (index + 1) * rows),
                )
                for index, part in enumerate("qkv")
            ]
            views.append(WeightView(f"{name}.attention.out.weight", "attention.out", layer))
            views += [WeightView(f"{name}.feed_forward.{fc}.weight", "ffn", layer) for fc in ("fc1", "fc2")]
        return views + [
            dataclasses.replace(view, parameter=f"head.{view.parameter}", layer=len(network.blocks) + 1)
            for view in views_by_module(network.head)
        ]

    def residual_ends(self, model: nn.Module) -> list[str]:
        """Return the weight of the last projection of each attention and feed-forward layer; fresh biases are 0."""
        return [
            f"blocks.{index}.{name}.weight"
            for index, block in enumerate(cast("Any", model).blocks)
            if block.residual
            for name in ("attention.out", "feed_forward.fc2")
        ]

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return two parts: the trunk, which does not depend on the number of classes, and the head."""
        return {"trunk": ("embedding.", "blocks.", "norm."), "head": ("head.",)}

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read the original's tuple notation, see `parse_tuple`, or the notation of every space."""
        if is_tuple(text):
            return self.architecture(parse_tuple(text, origin=origin), origin=origin)
        return super().parse(text, origin=origin)

    def format(self, arch: Architecture) -> str:
        """Return `arch` in the original's tuple notation."""
        return format_tuple(arch.values)

    def reference_recipe(self) -> Recipe:
        """Return the settings with which the original DE-NAS scores vision transformers."""
        return Recipe(
            arithmetic="sum",
            weights={
                "expressivity": 0.0,
                "complexity": 0.0,
                "diversity": 1.0,
                "saliency": 1.0,
                "latency": 10_000.0,
            },
            batch_size=64,
            initialisation="normal",
            drawn=("embed", "attention.out", "ffn", "head", "norm"),
            saliency={"attention.out": 1, "ffn": 2, "head": 1},
            latency_ms=1000.0,
        )

    @classmethod
    def legacy(cls) -> Legacy:
        """Return the translation of the original's ViT configurations."""
        from .legacy import LEGACY

        return LEGACY
