"""Check whether the networks of a space suit speech recognition, by their inputs and outputs."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from denas_core import SearchSpace

if TYPE_CHECKING:
    from torch import Tensor

INPUTS = ("features", "tokens")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SpeechForm:
    """The input format of the networks.

    Attributes:
        mels: Number of mel bands of a frame.
    """

    mels: int


def form_of(space: SearchSpace) -> SpeechForm | str:
    """Return the input format of the networks of `space`, or the reason why they do not take speech."""
    inputs = space.batch(1, seed=0, kind="cost").inputs
    if set(inputs) != set(INPUTS):
        return f"its inputs are {', '.join(inputs)}, not features and tokens"
    features, tokens = (inputs[name] for name in INPUTS)
    if features.dim() != 3 or not features.is_floating_point():
        return f"its features are {_shape(features)}, not frames of mel bands"
    if tokens.dim() != 2 or tokens.is_floating_point():
        return f"its tokens are {_shape(tokens)}, not whole numbers (samples, symbols)"
    return SpeechForm(mels=features.shape[2])


def encoded_share(space: SearchSpace) -> float:
    """Return the number of encoded frames for each input frame in a network of `space`."""
    import torch
    from torch import nn

    with torch.device("meta"):
        network = space.build(space.sample(random.Random(0)), head=nn.Identity())
    batch = space.batch(1, seed=0, kind="cost")
    outputs = space.forward(network.eval(), batch)
    return outputs.features.shape[1] / batch.inputs["features"].shape[1]


def frames_needed(symbols: Sequence[object]) -> int:
    """Return the number of frames that CTC needs: one for each symbol, and a blank between two equal neighbours."""
    return len(symbols) + sum(one == other for one, other in itertools.pairwise(symbols))


def _shape(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
