"""Check whether the networks of a space suit keyword spotting, by their input."""

from __future__ import annotations

import dataclasses

from denas_core import SearchSpace


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClipForm:
    """The input format of the networks.

    Attributes:
        name: Name of the input in `SearchSpace.forward`.
        mels: Number of mel bands of a frame.
        frames: Number of frames.
    """

    name: str
    mels: int
    frames: int


def form_of(space: SearchSpace) -> ClipForm | str:
    """Return the input format of the networks of `space`, or the reason why they do not take clips."""
    inputs = space.batch(1, seed=0, kind="cost").inputs
    if len(inputs) != 1:
        return f"its networks take {len(inputs)} inputs, not one"
    [(name, tensor)] = inputs.items()
    if not tensor.is_floating_point() or tensor.dim() != 3:
        return f"its input {name!r} is {tensor.dtype} of shape {tuple(tensor.shape)}, not mel bands by frames"
    return ClipForm(name=name, mels=tensor.shape[1], frames=tensor.shape[2])
