"""Which frames of a batch count, and that all of them hold numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from denas_core.errors import NoResult

from .symbols import FIRST


def counted(values: Tensor, lengths: Tensor | None) -> Tensor:
    """Return how many frames of each utterance count, (utterances,) int64, on the device of `values`.

    Args:
        values: Logits or log-probabilities, (utterances, frames, symbols).
        lengths: (utterances,); None where every frame counts. What lies beyond is not looked at.

    Raises:
        ValueError: shapes do not fit, or no symbol is there that could be written.
        NoResult: a frame that counts holds NaN or an infinite value.
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
        refuse_infinite(values[inside(lengths, frames)])
    return lengths


def log_probabilities(logits: Tensor) -> Tensor:
    """Return the logarithm of the softmax over the last dimension, in float32 at least."""
    return logits.log_softmax(-1, dtype=torch.promote_types(logits.dtype, torch.float32))


def inside(lengths: Tensor, frames: int) -> Tensor:
    """Return (utterances, frames), True where a frame counts."""
    return torch.arange(frames, device=lengths.device) < lengths[:, None]


def refuse_infinite(values: Tensor) -> None:
    """Refuse what a network that has diverged puts out.

    Raises:
        NoResult: a value is NaN or infinite.
    """
    wrong = values[~values.isfinite()]
    if len(wrong):
        raise NoResult(
            f"{len(wrong)} of {values.numel()} outputs of the network are {wrong[0].item()} or the like, and cannot be "
            f"decoded: it has diverged; lower training.lr"
        )
