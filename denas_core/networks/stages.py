"""Stages of a network: parts that can run separately, one after the other, such as an encoder and a decoder."""

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
    """A part of a network that takes named tensors of the batch or of earlier stages, and returns named tensors.

    Attributes:
        name: The name, such as ``encoder``. Exporters that write one file for each stage use it as file name.
        module: The module. It takes the tensors of `inputs` in order, with the samples as first dimension, and returns
            a tensor or a tuple of tensors.
        inputs: Names of its inputs.
        outputs: Names of its results, which are outputs of the network or inputs of later stages.
        open: By name of an output and index of a dimension, the dimensions that may have any size. The number of
            samples, which may always have any size, is not among them.
    """

    name: str
    module: nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    open: Mapping[str, Mapping[int, OpenDimension]] = dataclasses.field(default_factory=dict)


class Staged(ABC):
    """A base for networks with stages, for programs that run one stage more often than another."""

    @abstractmethod
    def stages(self) -> Sequence[Stage]:
        """Return the stages in the order in which they run. Together they compute the outputs of the network."""


def stages_of(network: Any) -> Sequence[Stage]:
    """Return the stages of a network; an empty sequence if it has none."""
    return network.stages() if isinstance(network, Staged) else ()
