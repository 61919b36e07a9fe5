"""A transformer written out by heads, neurons and layers, so that each can be masked, as several families have it."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm

from denas_core.pretrained.layout import Layout

VOCABULARY, LABELS = 11, 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
    """How the network is laid out: `queries` heads for each of `groups` of keys and values."""

    hidden: int = 8
    groups: int = 4
    queries: int = 1
    head: int = 3
    ffn: int = 6
    layer: int = 3
    fused: bool = False
    pre_norm: bool = True

    @property
    def sizes(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("hidden", "groups", "head", "ffn", "layer")}

    @property
    def layout(self) -> Layout:
        heads = f"(groups[layer] {self.queries} head)"
        if self.fused:
            # Transposed, as the Conv1D of GPT-2: inputs by outputs.
            projections = {
                "layers.{layer}.qkv": "hidden (3 groups[layer] head)",
                "layers.{layer}.qkv_bias": "(3 groups[layer] head)",
                "layers.{layer}.out": f"{heads} hidden",
            }
        else:
            projections = {
                "layers.{layer}.q": f"{heads} hidden",
                "layers.{layer}.q_bias": heads,
                "layers.{layer}.k": "(groups[layer] head) hidden",
                "layers.{layer}.v": "(groups[layer] head) hidden",
                "layers.{layer}.out": f"hidden {heads}",
            }
        return Layout(
            {
                "embedding": "_ hidden",
                **projections,
                "layers.{layer}.up": "ffn[layer] hidden",
                "layers.{layer}.up_bias": "ffn[layer]",
                "layers.{layer}.down": "hidden ffn[layer]",
                "pooler": "hidden hidden",
                "scale": "",
                "classifier": "_ hidden",
                "layers.{layer}.norm1": "hidden",
                "layers.{layer}.norm2": "hidden",
            }
        )


FORMS = {
    "pre-norm": Form(),
    "post-norm": Form(pre_norm=False),
    "fused and transposed": Form(fused=True),
    "grouped queries": Form(groups=3, queries=2),
}


class TinyTransformer(nn.Module):
    """Tokens in, logits out, in float64 without dropout."""

    def __init__(self, form: Form, *, seed: int = 0) -> None:
        super().__init__()
        self.form = form
        generator = torch.Generator().manual_seed(seed)

        def weights(*shape: int) -> nn.Parameter:
            return nn.Parameter(
                torch.randn(shape, generator=generator, dtype=torch.float64) / math.sqrt(shape[-1])
            )

        keys, heads = form.groups * form.head, form.groups * form.queries * form.head
        self.embedding = weights(VOCABULARY, form.hidden)
        self.layers = nn.ModuleList()
        for _ in range(form.layer):
            layer = nn.Module()
            if form.fused:
                layer.qkv, layer.qkv_bias = weights(form.hidden, 3 * keys), weights(3 * keys)
                layer.out = weights(heads, form.hidden)
            else:
                layer.q, layer.q_bias = weights(heads, form.hidden), weights(heads)
                layer.k, layer.v = weights(keys, form.hidden), weights(keys, form.hidden)
                layer.out = weights(form.hidden, heads)
            layer.up, layer.up_bias = weights(form.ffn, form.hidden), weights(form.ffn)
            layer.down = weights(form.hidden, form.ffn)
            layer.norm1, layer.norm2 = weights(form.hidden), weights(form.hidden)
            self.layers.append(layer)
        self.pooler = weights(form.hidden, form.hidden)
        self.scale = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))
        self.classifier = weights(LABELS, form.hidden)

    def forward(
        self,
        tokens: Tensor,
        *,
        groups: Tensor | None = None,
        neurons: Tensor | None = None,
        layers: Tensor | None = None,
    ) -> Tensor:
        """Return logits, with the masked groups of heads, neurons (layer by member) and layers without effect."""
        form = self.form
        groups = torch.ones(form.layer, form.groups) if groups is None else groups
        neurons = torch.ones(form.layer, form.ffn) if neurons is None else neurons
        x = self.embedding[tokens]
        for index, layer in enumerate(self.layers):
            if layers is not None and not layers[index]:
                continue
            x = self._joined(x, layer.norm1, functools.partial(self._attention, layer, groups[index]))
            x = self._joined(x, layer.norm2, functools.partial(self._feed_forward, layer, neurons[index]))
        pooled = torch.tanh(x.mean(1) @ self.pooler.T)
        return self.scale * (pooled @ self.classifier.T)

    def _joined(self, x: Tensor, gain: Tensor, step: Callable[[Tensor], Tensor]) -> Tensor:
        return x + step(self._norm(x, gain)) if self.form.pre_norm else self._norm(x + step(x), gain)

    def _feed_forward(self, layer: nn.Module, mask: Tensor, x: Tensor) -> Tensor:
        return (gelu(x @ layer.up.T + layer.up_bias) * mask) @ layer.down.T

    def _attention(self, layer: nn.Module, mask: Tensor, x: Tensor) -> Tensor:
        form, (samples, tokens, _) = self.form, x.shape
        if form.fused:
            q, k, v = (x @ layer.qkv + layer.qkv_bias).chunk(3, dim=-1)
        else:
            q, k, v = x @ layer.q.T + layer.q_bias, x @ layer.k.T, x @ layer.v.T
        q = q.reshape(samples, tokens, form.groups, form.queries, form.head)
        k, v = (part.reshape(samples, tokens, form.groups, form.head) for part in (k, v))
        scores = torch.einsum("stgqh,sugh->sgqtu", q, k) / math.sqrt(form.head)
        mixed = torch.einsum("sgqtu,sugh->stgqh", scores.softmax(-1), v)
        mixed = (mixed * mask[:, None, None]).reshape(samples, tokens, -1)
        return mixed @ (layer.out if form.fused else layer.out.T)

    def _norm(self, x: Tensor, gain: Tensor) -> Tensor:
        return layer_norm(x, (self.form.hidden,), gain)
