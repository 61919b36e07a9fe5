"""Weights and inputs that anyone can make again from their shapes, to compare Conformers of other makers with.

The golden values in ``golden/conformer.json`` are what ``torchaudio.models.Conformer`` of torchaudio 2.11 puts out with
these; with torchaudio installed, ``python -m tests.asr.conformer_weights`` writes them anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

GOLDEN = Path(__file__).parent / "golden" / "conformer.json"
SIZES = {"input_dim": 6, "num_heads": 2, "ffn_dim": 9, "num_layers": 2, "depthwise_conv_kernel_size": 5}
LENGTHS = [7, 4]

OURS = {
    "ffn1.sequential.0": "feed_forward1_norm",
    "ffn1.sequential.1": "feed_forward1.fc1",
    "ffn1.sequential.4": "feed_forward1.fc2",
    "self_attn_layer_norm": "attention_norm",
    "self_attn.in_proj_": "attention.qkv.",
    "self_attn.out_proj": "attention.out",
    "conv_module.layer_norm": "convolution_norm",
    "conv_module.sequential.0": "convolution.pointwise1",
    "conv_module.sequential.2": "convolution.depthwise",
    "conv_module.sequential.3": "convolution.norm",
    "conv_module.sequential.5": "convolution.pointwise2",
    "ffn2.sequential.0": "feed_forward2_norm",
    "ffn2.sequential.1": "feed_forward2.fc1",
    "ffn2.sequential.4": "feed_forward2.fc2",
    "final_layer_norm": "norm",
    "conformer_layers": "blocks",
}
"""Name of a part here by torchaudio's."""


def waves(shape: tuple[int, ...], phase: int) -> Tensor:
    """Return numbers between -1 and 1 that depend on nothing but `shape` and `phase`."""
    count = torch.Size(shape).numel()
    steps = torch.arange(1, count + 1, dtype=torch.float64)
    return (0.7 * steps + 1.3 * phase).sin().reshape(shape).float()


def weights_of(model: torch.nn.Module) -> dict[str, Tensor]:
    """Return weights for the tensors of a torchaudio Conformer, by its names in alphabetical order."""
    shapes = {name: tuple(tensor.shape) for name, tensor in sorted(model.state_dict().items())}
    return made({name: shape for name, shape in shapes.items() if shape})


def made(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Return weights of these shapes by name; variances are positive."""
    weights = {name: waves(tuple(shape), phase) for phase, (name, shape) in enumerate(sorted(shapes.items()))}
    return {name: w.abs() + 0.2 if name.endswith("running_var") else w for name, w in weights.items()}


def translated(weights: Mapping[str, Tensor], into: torch.nn.Module) -> dict[str, Tensor]:
    """Return `weights` under the names and in the shapes of our encoder `into`."""
    shapes = {name: tensor.shape for name, tensor in into.state_dict().items()}
    found = {}
    for name, tensor in weights.items():
        for theirs, ours in OURS.items():
            name = name.replace(theirs, ours)
        # A pointwise convolution is a linear layer here.
        found[name] = tensor.reshape(shapes[name])
    return found


def _write(conformer: Any) -> None:
    model = conformer(**SIZES).eval()
    weights = weights_of(model)
    model.load_state_dict(weights, strict=False)
    outputs = []
    with torch.no_grad():
        for sample, length in enumerate(LENGTHS):
            alone = waves((1, length, SIZES["input_dim"]), sample)
            outputs.append(model(alone, torch.tensor([length]))[0][0].tolist())
    document = {
        "sizes": SIZES,
        "shapes": {name: list(tensor.shape) for name, tensor in weights.items()},
        "lengths": LENGTHS,
        "outputs": [[[round(number, 7) for number in row] for row in output] for output in outputs],
    }
    text = json.dumps(document)
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(text.replace('], "', '],\n "').replace("]], [[", "]],\n [[") + "\n")


if __name__ == "__main__":
    from torchaudio.models import Conformer

    _write(Conformer)
