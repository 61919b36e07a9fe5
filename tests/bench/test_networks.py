"""What networks compute, against the same written in another way."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from denas_bench.autoformer.network import Attention
from denas_bench.autoformer.positions import LONGEST, ROWS, Ways
from denas_bench.autoformer.space import AutoFormer
from denas_bench.flexibert.network import EncoderLayer, Layer
from denas_bench.nasbench201.network import Cell, Reduction
from denas_bench.nasbench201.notation import parse_cell
from denas_bench.tc_resnet.network import Block, ResidualBlock

CELL = "|nor_conv_3x3~0|+|skip_connect~0|avg_pool_3x3~1|+|none~0|nor_conv_1x1~1|skip_connect~2|"


def drawn(module: nn.Module) -> Any:
    """Return the module in eval mode, every parameter drawn anew."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return module.eval()


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def test_a_cell_sums_what_its_notation_says() -> None:
    cell = drawn(Cell(parse_cell(CELL, origin="test"), 4))
    x = noise(2, 4, 6, 6)
    with torch.no_grad():
        first = cell.edges["op_1_0"](x)
        second = x + F.avg_pool2d(first, 3, stride=1, padding=1, count_include_pad=False)
        third = cell.edges["op_3_1"](first) + second
        assert torch.allclose(cell(x), third, atol=1e-6)
        relu_conv_norm = cell.edges["op_1_0"]
        assert [type(layer) for layer in relu_conv_norm] == [nn.ReLU, nn.Conv2d, nn.BatchNorm2d]


def test_between_stages_images_are_halved_and_channels_doubled() -> None:
    block = drawn(Reduction(4, 8, residual=True))
    x = noise(2, 4, 8, 8)
    with torch.no_grad():
        shortcut = F.conv2d(F.avg_pool2d(x, 2), block.shortcut[1].weight)
        assert torch.allclose(block(x), block.body(x) + shortcut, atol=1e-6)
    assert block(x).shape == (2, 8, 4, 4)


def test_attention_has_relative_positions_on_keys_and_values() -> None:
    """As in AutoFormer, for each pair of the tokens of 2 x 2 patches: the way goes from the query to the key."""
    attention = drawn(Attention(12, 2, 4, relative=True))
    x = noise(1, 5, 12)
    places = [(0, 0), (0, 1), (1, 0), (1, 1)]

    def vector(tables: Any, query: int, key: int) -> torch.Tensor:
        if not query or not key:
            return tables.vertical[0] + tables.horizontal[0]
        (row, column), (to_row, to_column) = places[query - 1], places[key - 1]
        middle = LONGEST + 1
        return tables.vertical[to_row - row + middle] + tables.horizontal[to_column - column + middle]

    with torch.no_grad():
        parts = attention.qkv(x)[0].view(5, 3, 2, 4)
        heads = []
        for head in range(2):
            query, key, value = (parts[:, part, head] for part in range(3))
            rows = []
            for i in range(5):
                logits = torch.stack(
                    [query[i] @ (key[j] + vector(attention.keys, i, j)) / 2 for j in range(5)]
                )
                weights = logits.softmax(0)
                rows.append(sum(weights[j] * (value[j] + vector(attention.values, i, j)) for j in range(5)))
            heads.append(torch.stack(rows))
        expected = attention.out(torch.cat(heads, -1))
        assert torch.allclose(attention(x, Ways.of(2, x.device))[0], expected, atol=1e-5)


def test_ways_longer_than_the_tables_are_cut() -> None:
    ways = Ways.of(20, torch.device("cpu"))
    assert (int(ways.vertical.max()), int(ways.vertical[1:, 1:].min())) == (ROWS - 1, 1)
    assert not ways.vertical[0].any() and not ways.horizontal[:, 0].any()


def test_a_smaller_image_has_the_positions_of_the_upper_left_corner() -> None:
    options: dict[str, Any] = {"classes": 5, "depths": [1], "embed_dims": [12], "heads": [2]}
    space = AutoFormer(image_size=48, probe_size=32, **options).named("bench/autoformer")
    arch = space.smallest()
    model: Any = space.load(space.build(arch), arch, seed=0)
    with torch.no_grad():
        tokens = model.embedding(torch.zeros(1, 3, 32, 32), 2)
        corner = model.embedding.positions[0, [1, 2, 4, 5]] + model.embedding.patches.bias
    assert torch.allclose(tokens[0, 1:], corner)
    assert space.batch(2, seed=0).inputs["x"].shape == (2, 3, 32, 32)
    assert space.batch(2, seed=0, kind="cost").inputs["x"].shape == (2, 3, 48, 48)


def test_a_layer_of_an_encoder_is_that_of_torch_where_torch_has_it() -> None:
    layer = drawn(EncoderLayer(8, Layer(2, (16,)), residual=True))
    torchs = nn.TransformerEncoderLayer(8, 2, 16, 0.0, F.gelu, layer_norm_eps=1e-12, batch_first=True).eval()
    with torch.no_grad():
        for name in ("weight", "bias"):
            fused = torch.cat([getattr(part, name) for part in (layer.query, layer.key, layer.value)])
            getattr(torchs.self_attn, f"in_proj_{name}").copy_(fused)
            pairs = [
                *((torchs.self_attn.out_proj, layer.out), (torchs.linear1, layer.ffn[0])),
                *((torchs.linear2, layer.ffn[1]), (torchs.norm1, layer.attention_norm)),
                (torchs.norm2, layer.ffn_norm),
            ]
            for theirs, ours in pairs:
                getattr(theirs, name).copy_(getattr(ours, name))
        x = noise(3, 5, 8)
        hidden = torch.tensor([[False] * 5, [False] * 3 + [True] * 2, [False] * 4 + [True]])
        expected = torchs(x, src_key_padding_mask=hidden)
        found = layer(x, hidden[:, None, None, :])
    assert torch.allclose(found[~hidden], expected[~hidden], atol=1e-5)


def test_a_block_over_time_strides_once_and_dilates_twice() -> None:
    block = drawn(ResidualBlock(8, 12, Block(kernel=5, dilation=2, stride=2), residual=True))
    x = noise(2, 8, 21)
    first, second = (layer for layer in block.body if isinstance(layer, nn.Conv1d))
    with torch.no_grad():
        y = F.relu(block.body[1](F.conv1d(x, first.weight, stride=2, padding=4, dilation=2)))
        y = block.body[4](F.conv1d(y, second.weight, padding=4, dilation=2))
        y = F.relu(y + block.shortcut[1](F.conv1d(x, block.shortcut[0].weight, stride=2)))
        assert torch.allclose(block(x), y, atol=1e-6)
    assert y.shape == (2, 12, 11)
