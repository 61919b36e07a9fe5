"""Find the valid frames of a batch, and check that their values are finite."""

from __future__ import annotations

import torch
from torch import Tensor

from denas_core.errors import NoResult

from .symbols import FIRST


def counted(values: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the number of valid frames of each utterance, (utterances,) int64, on the device of `values`.

    Args:
        values: Logits or log-probabilities, (utterances, frames, symbols).
        lengths: (utterances,); None if every frame is valid. Frames behind the length are not checked.

    Raises:
        ValueError: shapes do not fit, or there are only special symbols.
        NoResult: a valid frame holds NaN or an infinite value.
    """
    if values.dim() != 3 or values.shape[2] <= FIRST:
        raise ValueError(
            f"{tuple(values.shape)} is not (utterances, frames, symbols) with over {FIRST} symbols"
        )
    utterances, frames = values.shape[:2]
    if lengths is None:
        lengths = torch.full((utterances,), frames)
    lengths = lengths.to(device=values.device, dtype=torch.int64)
    if lengths.shape != (utterances,) or bool((lengths < 0).any()) or bool((lengths > frames).any()):
        raise ValueError(
            f"{lengths.tolist()} are not the lengths of {utterances} utterances of {frames} frames"
        )
    if not bool(values.isfinite().all()):
        check_finite(values[inside(lengths, frames)])
    return lengths


def log_probabilities(logits: Tensor) -> Tensor:
    """Return the logarithm of the softmax over the last dimension, in float32 at least."""
    return logits.log_softmax(-1, dtype=torch.promote_types(logits.dtype, torch.float32))


def inside(lengths: Tensor, frames: int) -> Tensor:
    """Return a mask (utterances, frames), True for valid frames."""
    return torch.arange(frames, device=lengths.device) < lengths[:, None]


def check_finite(values: Tensor) -> None:
    """Raise an error if a network's outputs are not finite, as after a training that diverged.

    Raises:
        NoResult: a value is NaN or infinite.
    """
    wrong = values[~values.isfinite()]
    if len(wrong):
        raise NoResult(
            f"{len(wrong)} of {values.numel()} outputs of the network are not finite, such as {wrong[0].item()}: its "
            "training has diverged; lower training.lr"
        )
