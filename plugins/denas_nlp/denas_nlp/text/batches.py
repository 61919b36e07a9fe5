"""Store samples of tokens compactly, and pad them to batches."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .form import MASK, SEGMENTS, TOKENS

if TYPE_CHECKING:
    from denas_core import Batch


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TextForm:
    """The input format of a network.

    Attributes:
        inputs: Names of the network's inputs.
        pad: The padding token.
    """

    inputs: tuple[str, ...]
    pad: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TextSample:
    """One sample.

    Attributes:
        ids: Its tokens, including special tokens.
        segments: The segment of each token: 0 for the first text, 1 for the second.
        targets: The correct output: a class, a score, or positions of tokens.
        form: The input format of the network.
    """

    ids: array[int]
    segments: array[int]
    targets: tuple[float, ...]
    form: TextForm


class Rows:
    """Samples in one block of memory, with 5 bytes for each token."""

    def __init__(self) -> None:
        """Create an empty store."""
        self._ids, self._segments, self._ends = array("i"), array("b"), array("q", [0])

    def append(self, ids: array[int], segments: array[int]) -> None:
        """Add a sample."""
        self._ids += ids
        self._segments += segments
        self._ends.append(len(self._ids))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def length(self, index: int) -> int:
        """Return the number of tokens of a sample."""
        return self._ends[index + 1] - self._ends[index]

    def __getitem__(self, index: int) -> tuple[array[int], array[int]]:
        part = slice(self._ends[index], self._ends[index + 1])
        return self._ids[part], self._segments[part]


def padded(samples: Sequence[TextSample], *, by_position: bool) -> Batch:
    """Return a batch padded to its longest sample.

    Args:
        samples: Samples of one split.
        by_position: Whether there are logits for each token, which then have the same mask as the features.
    """
    import torch

    from denas_core import Batch

    form = samples[0].form
    lengths = torch.tensor([len(sample.ids) for sample in samples])
    shape = (len(samples), int(lengths.max()))
    ids = torch.full(shape, form.pad)
    segments = torch.zeros(shape, dtype=torch.long)
    for row, sample in enumerate(samples):
        ids[row, : len(sample.ids)] = torch.frombuffer(sample.ids, dtype=torch.int32)
        segments[row, : len(sample.ids)] = torch.frombuffer(sample.segments, dtype=torch.int8)
    mask = torch.arange(shape[1]) < lengths[:, None]
    made = {TOKENS: ids, MASK: mask.long(), SEGMENTS: segments}
    return Batch(
        inputs={name: made[name] for name in form.inputs},
        masks={"features": mask, "logits": mask} if by_position else {"features": mask},
        units={"samples": float(len(samples)), "tokens": float(lengths.sum())},
    )
