"""The blocks of Conformers equal those of torchaudio, weight for weight."""

from __future__ import annotations

import json

import pytest
import torch
from torch import Tensor, nn

from denas_asr.conformer.block import ConformerBlock
from tests.asr.conformer_weights import GOLDEN, made, translated, waves

pytestmark = pytest.mark.numerics


class Blocks(nn.Module):
    """Blocks one after another, as in an encoder."""

    def __init__(self, blocks: list[ConformerBlock]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        for block in self.blocks:
            x = block(x, mask)
        return x


def golden() -> tuple[Blocks, list[int], list[Tensor]]:
    document = json.loads(GOLDEN.read_text())
    sizes = document["sizes"]
    numbers = (sizes[name] for name in ("input_dim", "num_heads", "ffn_dim", "depthwise_conv_kernel_size"))
    width, heads, hidden, kernel = numbers
    encoder = Blocks(
        [
            ConformerBlock(width, heads, hidden, kernel, dropout=0.1, residual=True)
            for _ in range(sizes["num_layers"])
        ]
    ).eval()
    weights = translated(made(document["shapes"]), encoder)
    missing, unexpected = encoder.load_state_dict(weights, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    return encoder, document["lengths"], [torch.tensor(output) for output in document["outputs"]]


def test_outputs_are_those_of_torchaudio() -> None:
    encoder, lengths, outputs = golden()
    for sample, (length, expected) in enumerate(zip(lengths, outputs, strict=True)):
        with torch.no_grad():
            found = encoder(waves((1, length, expected.shape[-1]), sample), None)[0]
        assert (found - expected).abs().max() < 1e-5


def test_samples_in_one_batch_give_what_they_give_alone() -> None:
    """Which torchaudio's do not: its convolutions see the padding."""
    encoder, lengths, outputs = golden()
    width = outputs[0].shape[-1]
    batch = torch.full((len(lengths), max(lengths), width), 9.0)
    for sample, length in enumerate(lengths):
        batch[sample, :length] = waves((1, length, width), sample)[0]
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    with torch.no_grad():
        found = encoder(batch, mask)
    for sample, (length, expected) in enumerate(zip(lengths, outputs, strict=True)):
        assert (found[sample, :length] - expected).abs().max() < 1e-5


def test_statistics_of_training_are_those_of_the_frames_that_count() -> None:
    """Frames beyond a sample's length change neither gradients nor what batch-norm keeps.

    In float64, since batch-norm over eleven frames makes some gradients a thousand times larger than others.
    """
    results = []
    for padding in (0, 5):
        encoder, lengths, outputs = golden()
        encoder.double().train()
        encoder.requires_grad_(True)
        for module in encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
            if hasattr(module, "heads"):
                module.dropout = 0.0
        frames, width = max(lengths), outputs[0].shape[-1]
        x = torch.stack([waves((frames, width), 0), waves((frames, width), 1)]).double()
        x = torch.cat([x, torch.full((2, padding, width), 3.0, dtype=torch.float64)], 1)
        mask = torch.arange(frames + padding) < torch.tensor(lengths)[:, None]
        y = encoder(x, mask)
        (y[mask] * waves((sum(lengths), width), 2)).sum().backward()
        norms = [m for m in encoder.modules() if isinstance(m, nn.BatchNorm1d)]
        results.append(
            [*(p.grad for p in encoder.parameters()), *(n.running_var for n in norms), y[mask].detach()]
        )
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-9)
