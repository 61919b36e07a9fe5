"""Where the weights of a network are, by role."""

from __future__ import annotations

from torch import nn

from denas_core.views import WeightView, views_by_module

from .attention import CrossAttention, SelfAttention
from .feed_forward import FeedForward
from .recogniser import HeadedEncoder, Recogniser, SpeechEncoder


def views_of(network: SpeechEncoder) -> list[WeightView]:
    """Return front-end, projection and embedding (layer 0), the blocks of encoder and decoder in order, and heads."""
    views = _views_within("front_end", network.front_end, 0)
    views.append(WeightView("projection.weight", "embed", 0))
    stacks = [("encoder.blocks", network.encoder)]
    if isinstance(network, Recogniser):
        views.append(WeightView("decoder.embedding.weight", "embed", 0))
        stacks.append(("decoder.blocks", network.decoder))
    layer = 0
    for prefix, stack in stacks:
        for index, block in enumerate(stack.get_submodule("blocks").children()):
            layer += 1
            views += _views_within(f"{prefix}.{index}", block, layer)
    if isinstance(network, Recogniser):
        heads = ("ctc_head", "attention_head")
        return views + [WeightView(f"{name}.weight", "head", layer + 1) for name in heads]
    assert isinstance(network, HeadedEncoder)
    return views + [
        WeightView(f"head.{view.parameter}", view.kind, layer + 1) for view in views_by_module(network.head)
    ]


def _views_within(prefix: str, part: nn.Module, layer: int) -> list[WeightView]:
    views: list[WeightView] = []
    for inner, module in part.named_modules():
        name = f"{prefix}.{inner}" if inner else prefix
        if isinstance(module, (nn.Conv1d, nn.Conv2d)):
            views.append(WeightView(f"{name}.weight", "conv", layer))
        elif isinstance(module, SelfAttention):
            views += _rows(f"{name}.qkv.weight", "qkv", module.out.in_features, layer)
            views.append(WeightView(f"{name}.out.weight", "attention.out", layer))
        elif isinstance(module, CrossAttention):
            views.append(WeightView(f"{name}.q.weight", "attention.q", layer))
            views += _rows(f"{name}.kv.weight", "kv", module.out.in_features, layer)
            views.append(WeightView(f"{name}.out.weight", "attention.out", layer))
        elif isinstance(module, FeedForward):
            views.append(WeightView(f"{name}.fc1.weight", "ffn.in", layer))
            views.append(WeightView(f"{name}.fc2.weight", "ffn.out", layer))
    return views


def _rows(parameter: str, parts: str, rows: int, layer: int) -> list[WeightView]:
    return [
        WeightView(parameter, f"attention.{part}", layer, rows=(index * rows, (index + 1) * rows))
        for index, part in enumerate(parts)
    ]
