"""The layers of recognisers: each against PyTorch's own, or against the words of its paper."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_asr.network.attention import CrossAttention, SelfAttention
from denas_asr.network.decoder import DecoderBlock
from denas_asr.network.front_end import FrontEnd, bands_of
from denas_asr.network.lengths import mask_of
from denas_asr.network.positions import add_positions
from denas_asr.transformer.block import TransformerBlock

pytestmark = pytest.mark.numerics

WIDTH, HEADS, HIDDEN = 12, 3, 20


def randomised(module: nn.Module) -> nn.Module:
    """Return `module` in float64 and eval mode, every weight drawn anew, so that no bias and no gain hides."""
    torch.manual_seed(0)
    for parameter in module.double().parameters():
        nn.init.normal_(parameter, std=0.5)
    return module.eval()


def speech(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def fill(theirs: nn.MultiheadAttention, ours: SelfAttention | CrossAttention) -> None:
    """Give PyTorch's attention our weights."""
    fused = [ours.qkv] if isinstance(ours, SelfAttention) else [ours.q, ours.kv]
    theirs.in_proj_weight.copy_(torch.cat([layer.weight for layer in fused]))
    theirs.in_proj_bias.copy_(torch.cat([layer.bias for layer in fused]))
    theirs.out_proj.load_state_dict(ours.out.state_dict())


@torch.no_grad()
def test_an_encoder_block_is_that_of_pytorch() -> None:
    ours = randomised(TransformerBlock(WIDTH, HEADS, HIDDEN, dropout=0.1, residual=True))
    theirs = nn.TransformerEncoderLayer(
        WIDTH, HEADS, HIDDEN, activation="gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True
    )
    theirs = theirs.double().eval()
    fill(theirs.self_attn, ours.attention)
    for part, layer in (
        (theirs.norm1, ours.attention_norm),
        (theirs.norm2, ours.feed_forward_norm),
        (theirs.linear1, ours.feed_forward.fc1),
        (theirs.linear2, ours.feed_forward.fc2),
    ):
        part.load_state_dict(layer.state_dict())
    x, mask = speech(2, 5, WIDTH), mask_of(torch.tensor([5, 3]), 5)
    assert torch.allclose(ours(x, None), theirs(x), atol=1e-12)
    found, expected = ours(x, mask), theirs(x, src_key_padding_mask=~mask)
    assert torch.allclose(found[mask], expected[mask], atol=1e-12)


@torch.no_grad()
def test_a_decoder_block_is_that_of_pytorch() -> None:
    ours = randomised(DecoderBlock(WIDTH, HEADS, HIDDEN, dropout=0.1, residual=True))
    theirs = nn.TransformerDecoderLayer(
        WIDTH, HEADS, HIDDEN, activation="gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True
    )
    theirs = theirs.double().eval()
    fill(theirs.self_attn, ours.attention)
    fill(theirs.multihead_attn, ours.cross_attention)
    for part, layer in (
        (theirs.norm1, ours.attention_norm),
        (theirs.norm2, ours.cross_attention_norm),
        (theirs.norm3, ours.feed_forward_norm),
        (theirs.linear1, ours.feed_forward.fc1),
        (theirs.linear2, ours.feed_forward.fc2),
    ):
        part.load_state_dict(layer.state_dict())
    x, memory = speech(2, 4, WIDTH), speech(2, 6, WIDTH)
    mask = mask_of(torch.tensor([6, 2]), 6)
    causal = nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)
    expected = theirs(x, memory, tgt_mask=causal, memory_key_padding_mask=~mask)
    assert torch.allclose(ours(x, memory, mask), expected, atol=1e-12)


@torch.no_grad()
def test_the_front_end_is_that_of_its_description() -> None:
    """Convolutions over frames and bands, layer norms over bands and channels, a shortcut in the third block."""
    ours = randomised(FrontEnd(10, 3, dropout=0.1, residual=True))
    features = speech(2, 9, 10)

    def normed(part: nn.Module, x: Tensor) -> Tensor:
        y = F.conv2d(
            x,
            part.convolution.weight,
            part.convolution.bias,
            stride=part.convolution.stride,
            padding=part.convolution.padding,
        )
        channels, bands = y.shape[1], y.shape[3]
        mean = y.mean((1, 3), keepdim=True)
        variance = ((y - mean) ** 2).mean((1, 3), keepdim=True)
        gain, shift = (p.view(bands, channels).T[None, :, None] for p in (part.norm.weight, part.norm.bias))
        return (y - mean) / (variance + 1e-5).sqrt() * gain + shift

    x = features.unsqueeze(1)
    for block in (ours.block1, ours.block2):
        x = F.leaky_relu(normed(block, x), 0.01)
    y = F.leaky_relu(normed(ours.block3, x), 0.01) + normed(ours.shortcut, x)
    assert y.shape == (2, 3, 3, 3)
    expected = y.permute(0, 2, 3, 1).flatten(2)
    assert torch.allclose(ours(features, None)[0], expected, atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize("frames", range(1, 18))
def test_lengths_behind_the_front_end_are_those_of_samples_alone(frames: int) -> None:
    front_end = randomised(FrontEnd(8, 2, dropout=0.0, residual=True))
    alone, none = front_end(speech(1, frames, 8), None)
    padded = F.pad(speech(1, frames, 8), (0, 0, 0, 7), value=5.0)
    together, lengths = front_end(padded, torch.tensor([frames]))
    assert none is None and lengths.tolist() == [alone.shape[1]] == [math.ceil(math.ceil(frames / 2) / 2)]
    assert torch.allclose(together[:, : alone.shape[1]], alone, atol=1e-12)


def test_eighty_bands_of_64_channels_give_1280_features() -> None:
    assert bands_of(80) == (40, 20)
    with torch.device("meta"):
        front_end = FrontEnd(80, 64, dropout=0.1, residual=True)
        assert front_end(torch.empty(1, 400, 80), None)[0].shape == (1, 100, 1280)
    kernels = [(1, 5), (64, 5), (64, 1), (64, 1)]
    norms = [40 * 64, 20 * 64, 20 * 64, 20 * 64]
    expected = sum(64 * (channels * kernel**2 + 1) for channels, kernel in kernels) + 2 * sum(norms)
    assert sum(p.numel() for p in front_end.parameters()) == expected == 125_248


@pytest.mark.parametrize("width", [6, 7])
def test_positions_are_sines_and_cosines(width: int) -> None:
    found = add_positions(torch.zeros(2, 5, width, dtype=torch.float64))
    for position in range(5):
        for feature in range(width):
            angle = position / 10_000 ** ((feature - feature % 2) / width)
            expected = math.cos(angle) if feature % 2 else math.sin(angle)
            assert found[1, position, feature].item() == pytest.approx(expected, abs=1e-12)


def test_positions_do_not_lose_precision_in_bfloat16() -> None:
    low = add_positions(torch.zeros(1, 2000, 4, dtype=torch.bfloat16))
    exact = add_positions(torch.zeros(1, 2000, 4, dtype=torch.float64))
    assert low.dtype == torch.bfloat16
    assert (low.double() - exact).abs().max() < 0.005


@torch.no_grad()
def test_a_causal_attention_sees_no_later_position() -> None:
    attention = randomised(SelfAttention(WIDTH, HEADS, dropout=0.0, causal=True))
    x = speech(1, 6, WIDTH)
    changed = torch.cat([x[:, :4], speech(1, 2, WIDTH) + 3], 1)
    assert torch.equal(attention(x)[:, :4], attention(changed)[:, :4])
    assert not torch.allclose(attention(x)[:, 4:], attention(changed)[:, 4:])
