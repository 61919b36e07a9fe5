"""Small spaces of real networks to try scores and probes on: a residual CNN, a transformer over tokens, an MLP."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_core.contracts.component import option
from denas_core.contracts.space import SearchSpace
from denas_core.values.architecture import Architecture, Knob
from denas_core.values.batch import Batch, BatchKind, Outputs, continuous_batch, expand_mask
from denas_core.values.views import WeightView, views_by_module

VOCABULARY, LENGTH = 24, 7


@dataclasses.dataclass(kw_only=True)
class SampleMLP(SearchSpace):
    """Linear layers for vectors of 12 numbers; the second hidden layer is optional."""

    classes: int = option(4, "Number of classes", at_least=2)

    def knobs(self) -> tuple[Knob, ...]:
        """Return depth, widths and activation; the second width exists at depth 2."""
        return (
            Knob("depth", (1, 2)),
            Knob("width1", (16, 24), layer=0),
            Knob("width2", (16, 24), layer=1, when=("depth", (2,))),
            Knob("activation", ("relu", "gelu")),
        )

    def build(self, arch: Architecture, *, head: Any = None, variant: Any = "full") -> nn.Module:
        """Return the layers in a row; a `head` takes the last width."""
        widths = [12, *(int(arch[f"width{i}"]) for i in range(1, int(arch["depth"]) + 1))]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU() if arch["activation"] == "relu" else nn.GELU()]
        return nn.Sequential(*layers, nn.Linear(widths[-1], self.classes) if head is None else head)

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return vectors of 12 numbers."""
        return continuous_batch((12,), size, seed=seed, kind=kind)


@dataclasses.dataclass(kw_only=True)
class SampleCNN(SearchSpace):
    """One or two residual blocks with batch normalisation, for images of 8 x 8 pixels."""

    def knobs(self) -> tuple[Knob, ...]:
        """Return depth, width and kernels; the second kernel exists at depth 2."""
        return (
            Knob("depth", (1, 2)),
            Knob("width", (6, 8)),
            Knob("kernel1", (1, 3), layer=0),
            Knob("kernel2", (1, 3), layer=1, when=("depth", (2,))),
        )

    def build(self, arch: Architecture, *, head: Any = None, variant: Any = "full") -> nn.Module:
        """Return the network; a `head` takes (samples, width)."""
        width = int(arch["width"])
        kernels = [int(arch[f"kernel{i}"]) for i in range(1, int(arch["depth"]) + 1)]
        return _CNN(width, kernels, variant == "full", nn.Linear(width, 4) if head is None else head)

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return images (samples, 3, 8, 8)."""
        return continuous_batch((3, 8, 8), size, seed=seed, kind=kind)

    def residual_ends(self, model: nn.Module) -> list[str]:
        """Return the weight of the last norm of each block."""
        return [name for name, _ in model.named_parameters() if name.endswith("second_norm.weight")]


@dataclasses.dataclass(kw_only=True)
class SampleTransformer(SearchSpace):
    """A transformer encoder over padded sequences of tokens; its inputs cannot be perturbed."""

    def knobs(self) -> tuple[Knob, ...]:
        """Return depth, width, heads and feed-forward widths; the second of these exists at depth 2."""
        return (
            Knob("depth", (1, 2)),
            Knob("width", (8, 16)),
            Knob("heads", (2, 4)),
            Knob("inner1", (16, 32), layer=0),
            Knob("inner2", (16, 32), layer=1, when=("depth", (2,))),
        )

    def build(self, arch: Architecture, *, head: Any = None, variant: Any = "full") -> nn.Module:
        """Return the network; a `head` takes (samples, width)."""
        width, heads = int(arch["width"]), int(arch["heads"])
        inner = [int(arch[f"inner{i}"]) for i in range(1, int(arch["depth"]) + 1)]
        return _Encoder(width, heads, inner, variant == "full", nn.Linear(width, 4) if head is None else head)

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return sequences of 7 tokens, of which 3 to 7 count."""
        shape = (size, LENGTH)
        if kind == "cost":
            tokens = torch.empty(shape, dtype=torch.long, device="meta")
            return Batch(inputs={"tokens": tokens}, positions=LENGTH, units={"samples": float(size)})
        generator = torch.Generator().manual_seed(seed)
        tokens = torch.randint(VOCABULARY, shape, generator=generator)
        lengths = torch.randint(3, LENGTH + 1, (size,), generator=generator)
        if kind == "ones":
            tokens, lengths = torch.ones_like(tokens), torch.full_like(lengths, LENGTH)
        mask = torch.arange(LENGTH).expand(shape) < lengths[:, None]
        return Batch(
            inputs={"tokens": tokens},
            masks={"features": mask},
            lengths={"tokens": lengths},
            positions=LENGTH,
            units={"samples": float(size), "tokens": float(lengths.sum())},
        )

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return the tokens' features, and logits of their mean over the positions that count."""
        mask = batch.masks.get("features")
        features, logits = model(batch.inputs["tokens"], mask)
        return Outputs(features=features, logits={"logits": logits}, masks=batch.masks)

    def views(self, model: nn.Module) -> list[WeightView]:
        """Return the default views, with the projections of attention as such."""
        views = []
        for view in views_by_module(model):
            part = view.parameter.split(".")[-2]
            kind = f"attention.{part}" if part in ("q", "k", "v", "out") else view.kind
            views.append(dataclasses.replace(view, kind=kind))
        return views


class _ResidualBlock(nn.Module):
    def __init__(self, width: int, kernel: int, residual: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, kernel, padding="same", bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, kernel, padding="same", bias=False)
        self.second_norm = nn.BatchNorm2d(width)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        y = self.second_norm(self.second(F.relu(self.first_norm(self.first(x)))))
        return F.relu(x + y if self.residual else y)


class _CNN(nn.Module):
    def __init__(self, width: int, kernels: list[int], residual: bool, head: nn.Module) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.Sequential(*[_ResidualBlock(width, kernel, residual) for kernel in kernels])
        self.head = head

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.blocks(F.relu(self.stem(x)))
        return features, self.head(features.mean((2, 3)))


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, inner: int, residual: bool) -> None:
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.attention_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, inner), nn.Linear(inner, width)
        self.heads = heads
        self.residual = residual

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = self.attention_norm(self._attention(x, mask) + (x if self.residual else 0))
        y: Tensor = self.norm(self.down(F.gelu(self.up(x))) + (x if self.residual else 0))
        return y

    def _attention(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.q, self.k, self.v)
        )
        seen = None if mask is None else mask[:, None, None, :]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        mixed: Tensor = self.out(y.transpose(1, 2).flatten(2))
        return mixed


class _Encoder(nn.Module):
    def __init__(self, width: int, heads: int, inner: list[int], residual: bool, head: nn.Module) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, width)
        self.positions = nn.Embedding(LENGTH, width)
        self.layers = nn.ModuleList([_Layer(width, heads, size, residual) for size in inner])
        self.head = head

    def forward(self, tokens: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        x = self.embedding(tokens) + self.positions.weight
        for layer in self.layers:
            x = layer(x, mask)
        if mask is None:
            return x, self.head(x.mean(1))
        weights = expand_mask(mask, x)
        return x, self.head((x * weights).sum(1) / weights.sum(1))


def sample_spaces() -> tuple[SearchSpace, ...]:
    """Return the three spaces, named as components are."""
    spaces: dict[str, Any] = {"mlp": SampleMLP, "cnn": SampleCNN, "transformer": SampleTransformer}
    return tuple(cls().named(f"sample/{name}") for name, cls in spaces.items())
