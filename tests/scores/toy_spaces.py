"""Small spaces for tests: a residual CNN with batch-norm, attention networks, and a linear chain."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_core import (
    Batch,
    BatchKind,
    Knob,
    Outputs,
    SearchSpace,
    WeightView,
    continuous_batch,
    views_by_module,
)


class ResidualBlock(nn.Module):
    def __init__(self, width: int, out: int, stride: int, groups: int, residual: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, stride, 1, groups=groups, bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, out, 1)
        self.second_norm = nn.BatchNorm2d(out)
        self.shortcut = nn.Conv2d(width, out, 1, stride)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        return F.relu(y + self.shortcut(x) if self.residual else y)


class ToyCNN(nn.Module):
    def __init__(self, width: int, groups: int, residual: bool) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, (3, 5), 1, (1, 2))
        self.activation = nn.ReLU(inplace=True)
        self.blocks = nn.Sequential(
            ResidualBlock(width, 2 * width, 2, groups, residual),
            ResidualBlock(2 * width, 2 * width, 1, 2 * width, residual),
        )
        self.dilated = nn.Conv2d(2 * width, width, 3, 1, "same", dilation=2)
        self.head = nn.Linear(width, 5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.activation(self.stem(x))
        x = self.dilated(self.blocks(x))
        return x, self.head(x.mean((2, 3)))


@dataclasses.dataclass(kw_only=True)
class CNNSpace(SearchSpace):
    pixels: int = 9

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("width", (4, 8)), Knob("groups", (4, 2, 1)))

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return ToyCNN(arch["width"], arch["groups"], residual=variant == "full")

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        return continuous_batch((3, self.pixels, self.pixels), size, seed=seed, kind=kind)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.q = nn.Linear(width, width)
        self.k = nn.Linear(width, width)
        self.v = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        def split(y: Tensor) -> Tensor:
            return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        y = F.scaled_dot_product_attention(split(self.q(x)), split(self.k(x)), split(self.v(x)))
        return self.out(y.transpose(1, 2).flatten(2))


class FusedAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x, x, x, need_weights=False)[0]


class Projection(nn.Module):
    """A linear layer stored as (in, out), like GPT-2's."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.empty(outputs))

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=0.3)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.addmm(self.bias, x.reshape(-1, x.shape[-1]), self.weight)
        return y.view(*x.shape[:-1], -1)


class AttentionBlock(nn.Module):
    def __init__(self, width: int, heads: int, fused: bool, residual: bool) -> None:
        super().__init__()
        self.attention = FusedAttention(width, heads) if fused else Attention(width, heads)
        self.attention_norm = nn.LayerNorm(width)
        self.up = Projection(width, 2 * width) if fused else nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention_norm(self.attention(x) + (x if self.residual else 0))
        return self.norm(self.down(F.gelu(self.up(x))) + (x if self.residual else 0))


class ToyAttentionNet(nn.Module):
    """Ends in a layer norm, as encoders do: the plain sum of its outputs has no gradient."""

    def __init__(self, width: int, depth: int, heads: int, fused: bool, residual: bool) -> None:
        super().__init__()
        self.embed = nn.Linear(6, width)
        self.positions = Positions(5, width)
        self.blocks = nn.Sequential(*[AttentionBlock(width, heads, fused, residual) for _ in range(depth)])

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.positions(self.embed(x)))


class Positions(nn.Module):
    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(1, length, width))

    def reset_parameters(self) -> None:
        nn.init.normal_(self.table)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table


@dataclasses.dataclass(kw_only=True)
class AttentionSpace(SearchSpace):
    """`fused` uses `torch.nn.MultiheadAttention` and transposed feed-forward matrices; `masked` pads every sequence."""

    fused: bool = False
    masked: bool = False

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("width", (8, 12)), Knob("depth", (1, 2)), Knob("heads", (2, 4)))

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return ToyAttentionNet(
            arch["width"], arch["depth"], arch["heads"], self.fused, residual=variant == "full"
        )

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        batch = continuous_batch((5, 6), size, seed=seed, kind=kind)
        if not self.masked:
            return batch
        mask = torch.arange(5).expand(size, 5) < 3
        return dataclasses.replace(batch, masks={"features": mask, "logits": mask})

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        tokens = model(batch.inputs["x"])
        return Outputs(features=tokens, logits={"logits": tokens}, masks=batch.masks)

    def views(self, model: nn.Module) -> list[WeightView]:
        views = []
        for index, view in enumerate(views_by_module(model)):
            part = view.parameter.split(".")[-2]
            kind = f"attention.{part}" if part in ("q", "k", "v", "out") else view.kind
            views.append(WeightView(view.parameter, kind, index, view.rows, view.columns))
        views += [
            WeightView(f"{name}.weight", "ffn", len(views), transposed=True)
            for name, module in model.named_modules()
            if isinstance(module, Projection)
        ]
        return views


class LinearChain(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(2, width, bias=False)
        self.second = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x))


@dataclasses.dataclass(kw_only=True)
class ChainSpace(SearchSpace):
    """Two linear layers, simple enough to work out by hand."""

    gain: float = 0.0
    """Where set, every weight is this number, with alternating signs."""

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("width", (2, 3)),)

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return LinearChain(arch["width"])

    def load(self, model: nn.Module, arch: Any, *, seed: int, weights: Any = "fresh") -> nn.Module:
        model = super().load(model, arch, seed=seed, weights=weights)
        if self.gain:
            with torch.no_grad():
                for parameter in model.parameters():
                    signs = torch.ones(parameter.numel())
                    signs[1::2] = -1
                    parameter.copy_(self.gain * signs.view_as(parameter))
        return model

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        return continuous_batch((2,), size, seed=seed, kind=kind)


class Gated(nn.Module):
    """Uses one matrix in a way no layer does, one for all samples at once, and one layer twice."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(6, width)
        self.gate = nn.Linear(width, width, bias=False)
        self.shared = nn.Linear(width, width)
        self.twice = nn.Linear(width, width)
        self.head = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.twice(torch.tanh(self.twice(torch.tanh(self.first(x)))))
        y = y + torch.einsum("ni,oi->no", y, self.gate.weight.sigmoid())
        return self.head(y * self.shared(y.new_ones(1, y.shape[-1])))


@dataclasses.dataclass(kw_only=True)
class GatedSpace(SearchSpace):
    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("width", (5, 8)),)

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return Gated(arch["width"])

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        return continuous_batch((6,), size, seed=seed, kind=kind)


class Sequential(nn.Module):
    """Keeps samples and positions in the order of `layout`: (samples, positions), its transpose, or either as one."""

    def __init__(self, layout: str) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 6), nn.Linear(6, 2)
        self.layout = layout

    def forward(self, x: Tensor) -> Tensor:
        samples = x.shape[0]
        if "positions first" in self.layout:
            x = x.transpose(0, 1)
        if "flat" in self.layout:
            x = x.flatten(0, 1)
        y = self.second(torch.tanh(self.first(x)))
        if "positions first" in self.layout:
            return y.view(-1, samples, 2).transpose(0, 1)
        return y.view(samples, -1, 2)


class EncoderLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.TransformerEncoderLayer(6, 2, 12, batch_first=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.inner(x.repeat(1, 1, 2).transpose(0, 1)).transpose(0, 1)
        return y


class Products(nn.Module):
    """Uses each of its matrices in a way no layer does."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.ModuleList([nn.Linear(3, 3, bias=False) for _ in range(8)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.inner:
            x = x + torch.tanh(torch.einsum("npi,oi->npo", x, layer.weight))
        return x


@dataclasses.dataclass(kw_only=True)
class SequenceSpace(SearchSpace):
    """Networks that do not all keep samples outermost."""

    layout: str = "samples first"
    positions: int = 4

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("unused", (0,)),)

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        others = {"encoder": EncoderLayer, "products": Products}
        return others[self.layout]() if self.layout in others else Sequential(self.layout)

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        return continuous_batch((self.positions, 3), size, seed=seed, kind=kind)


class ToyBert(nn.Module):
    """Tokens and positions, added and normalised, below the layers of an encoder that ends in a layer norm."""

    def __init__(self, width: int, depth: int, heads: int, fused: bool, residual: bool) -> None:
        super().__init__()
        self.tokens = nn.Embedding(200, width)
        self.positions = Positions(6, width)
        self.norm = nn.LayerNorm(width)
        self.blocks = nn.Sequential(*[AttentionBlock(width, heads, fused, residual) for _ in range(depth)])

    def forward(self, ids: Tensor) -> Tensor:
        return self.blocks(self.norm(self.positions(self.tokens(ids))))


@dataclasses.dataclass(kw_only=True)
class TokenSpace(AttentionSpace):
    """Sample b of the constant batch repeats token 99 - b."""

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("width", tuple(range(8, 65, 8))), Knob("depth", (1, 2, 3)), Knob("heads", (2, 4, 8)))

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return ToyBert(arch["width"], arch["depth"], arch["heads"], self.fused, residual=variant == "full")

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        ids = (99 - torch.arange(size))[:, None].repeat(1, 6)
        if kind == "noise":
            ids = torch.randint(100, 200, (size, 6), generator=torch.Generator().manual_seed(seed))
        return Batch(inputs={"x": ids.to("meta") if kind == "cost" else ids})
