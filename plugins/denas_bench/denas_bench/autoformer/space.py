"""The search space ``bench/autoformer``: vision transformers of AutoFormer's supernets, and plain ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from denas_core import (
    Architecture,
    Batch,
    Knob,
    KnobValue,
    Outputs,
    SearchSpace,
    canonical_json,
    continuous_batch,
    load_mapping,
    option,
)
from denas_core.networks import (
    LARGEST_CHOICES,
    check_choices,
    format_tuple,
    is_tuple,
    layered_knobs,
    parse_tuple,
)

from .notation import is_row, values_of

if TYPE_CHECKING:
    from torch import nn

    from denas_core import BatchKind, Variant, WeightView
    from denas_core.networks import Piece

PATCH = 16
HEAD_SIZE = 64

_CHOICES = ("depths", "embed_dims", "mlp_ratios", "heads")
_TINY: Mapping[str, Any] = {
    "depths": [12, 13, 14],
    "embed_dims": [192, 216, 240],
    "mlp_ratios": [3.5, 4.0],
    "heads": [3, 4],
}


@dataclasses.dataclass(kw_only=True)
class AutoFormer(SearchSpace):
    """The vision transformers of AutoFormer's supernets (Chen et al. 2021, arXiv:2107.00651), or plain ones.

    Those of a supernet have heads of 64 features and relative positions on keys and values; in plain ones, those of the
    ViT benchmark of Auto-Prox (Wei et al. 2024, arXiv:2312.09059), heads share the embedding width. Both classify the
    mean of the patches. Weights, tokens and positions begin as normal numbers of standard deviation 0.02, the patch
    embedding as PyTorch's convolution. Scores see smaller images than those that are trained on, see `probe_size`.
    """

    classes: int = option(1000, "Number of classes", at_least=1)
    image_size: int = option(224, "Height and width of the images, in pixels", at_least=PATCH, at_most=4096)
    probe_size: int = option(
        64,
        "Height and width of the images of scores and latency, at most image_size",
        at_least=PATCH,
        at_most=4096,
    )
    plain: bool = option(False, "Share the width between the heads, without relative positions")
    depths: list[int] = option(_TINY["depths"], "Choices of the number of blocks")
    embed_dims: list[int] = option(_TINY["embed_dims"], "Choices of the embedding width")
    mlp_ratios: list[float] = option(
        _TINY["mlp_ratios"], "Choices of the MLP's width, relative to the embedding's"
    )
    heads: list[int] = option(_TINY["heads"], "Choices of the number of heads of a block")

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "tiny": _TINY,
        "small": {
            "depths": [12, 13, 14],
            "embed_dims": [320, 384, 448],
            "mlp_ratios": [3.0, 3.5, 4.0],
            "heads": [5, 6, 7],
        },
        "base": {
            "depths": [14, 15, 16],
            "embed_dims": [528, 576, 624],
            "mlp_ratios": [3.0, 3.5, 4.0],
            "heads": [8, 9, 10],
        },
        "plain": {**_TINY, "plain": True, "classes": 100},
    }

    def __post_init__(self) -> None:
        """Check what one option asks of another.

        Raises:
            ValueError: patches that do not fill an image, choices that are not in order or out of range, or heads that
                cannot share an embedding width.
        """
        for name in ("image_size", "probe_size"):
            if getattr(self, name) % PATCH:
                raise ValueError(
                    f"{name} {getattr(self, name)} is not a multiple of {PATCH}, the size of a patch"
                )
        self.probe_size = min(self.probe_size, self.image_size)
        for name in _CHOICES:
            check_choices(name, getattr(self, name), LARGEST_CHOICES[name])
        if self.plain:
            for width in self.embed_dims:
                if wrong := [heads for heads in self.heads if width % heads]:
                    raise ValueError(
                        f"the embedding width {width} cannot be shared by {wrong[0]} heads; change one"
                    )

    def knobs(self) -> tuple[Knob, ...]:
        """Return the choices of the network, then those of each block, numbered from 1."""
        return layered_knobs(
            depths=self.depths, embed_dims=self.embed_dims, mlp_ratio=self.mlp_ratios, heads=self.heads
        )

    def fingerprint(self) -> str:
        """Return the options that change a network; the others change which networks there are, or their inputs."""
        return canonical_json({name: getattr(self, name) for name in ("classes", "image_size", "plain")})

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the structure of `arch`; a `head` takes (samples, embedding width)."""
        from denas_bench.layers import Linear

        from .network import Shape, VisionTransformer

        values = cast("Mapping[str, Any]", arch.values)
        width = values["embed_dim"]
        layers = []
        for layer in range(1, values["depth"] + 1):
            heads, ratio = values[f"layer{layer}.heads"], values[f"layer{layer}.mlp_ratio"]
            layers.append((heads, width // heads if self.plain else HEAD_SIZE, int(width * ratio)))
        shape = Shape(
            side=self.image_size // PATCH,
            width=width,
            layers=layers,
            relative=not self.plain,
            residual=variant == "full",
        )
        return VisionTransformer(shape, Linear(width, self.classes) if head is None else head)

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return networks of one block, and one of two blocks."""
        from denas_core.networks import pieces_of_choices

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
        return pieces_of_choices(blocks, (self.mlp_ratios[0], self.heads[0]), build, key=width)

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` images, whose height and width is `probe_size`, or `image_size` for the cost."""
        side = self.image_size if kind == "cost" else self.probe_size
        return continuous_batch((3, side, side), size, seed=seed, kind=kind)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return the patches that are pooled, (samples, patches, embedding width), and the logits."""
        network = cast("Any", model)
        features = network.features(batch.inputs["x"])
        return Outputs(features=features, logits={"logits": network.head(features.mean(1))})

    def views(self, model: nn.Module) -> list[WeightView]:
        """Return patch embedding, projections of attention, feed-forward layers and head; a layer is a block."""
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
                    rows=(i * rows, (i + 1) * rows),
                )
                for i, part in enumerate("qkv")
            ]
            views += [
                WeightView(f"{name}.attention.out.weight", "attention.out", layer),
                WeightView(f"{name}.fc1.weight", "ffn.in", layer),
                WeightView(f"{name}.fc2.weight", "ffn.out", layer),
            ]
        return views + [
            dataclasses.replace(view, parameter=f"head.{view.parameter}", layer=len(network.blocks) + 1)
            for view in views_by_module(network.head)
        ]

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return the trunk, which does not depend on the number of classes, and the head."""
        return {"trunk": ("embedding.", "blocks.", "norm."), "head": ("head.",)}

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read a row of a table, see `values_of`, the tuple of `parse_tuple`, or what every space reads."""
        if is_tuple(text):
            return self.architecture(parse_tuple(text, origin=origin), origin=origin)
        document = load_mapping(text, origin=origin)
        if is_row(document):
            return self.architecture(values_of(document, origin=origin), origin=origin)
        return super().parse(text, origin=origin)

    def format(self, arch: Architecture) -> str:
        """Return the tuple: depth, the MLP ratio of each block, the heads of each block, the embedding width."""
        return format_tuple(arch.values)
