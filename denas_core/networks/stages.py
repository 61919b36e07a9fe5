"""Stages of a network: parts that run by themselves, one after the other, such as an encoder and a decoder."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from denas_core.values.batch import OpenDimension


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of a network that takes named tensors, of the batch or of stages before it, and gives others.

    Attributes:
        name: Such as ``encoder``; forms that write a file a stage name it so.
        module: Takes the tensors of `inputs` in order, sample first, and returns a tensor or a tuple of them.
        inputs: Names of its inputs.
        outputs: Names of what it returns: outputs of the network, or inputs of later stages.
        open: By output and place, dimensions of what later stages take that may have any size, beside the number of
            samples.
    """

    name: str
    module: nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    open: Mapping[str, Mapping[int, OpenDimension]] = dataclasses.field(default_factory=dict)


class Staged(ABC):
    """A base for networks that say what their stages are, for who runs one of them more often than another."""

    @abstractmethod
    def stages(self) -> Sequence[Stage]:
        """Return the stages, in the order in which they run; together they give the network's outputs."""


def stages_of(network: Any) -> Sequence[Stage]:
    """Return the stages of a network, none if it runs as a whole."""
    return network.stages() if isinstance(network, Staged) else ()
