"""What all recorders have in common. A recorder sees the calls of a network and adds its data to the trace."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.autograd.graph import GradientEdge

from denas_core.values.batch import Batch
from denas_core.values.passes import Trace

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
"""The positional and named arguments of a call."""


class Recorder:
    """Records one kind of data while a network runs. Each method does nothing by default.

    The pass calls `change_batch` and `hooks`, then `before` and `after` for each function that the network calls, then
    `sources` and `take_gradients`, and `finish` at the end. If the batch runs in parts, all methods but `finish` are
    called for each part.

    Attributes:
        sees_calls: Whether `before`, `after` and `sequence_first` do anything.
        keeps_graph: Whether `take_gradients` or `finish` compute more gradients.
        is_differentiable: Whether `take_gradients` computes gradients of the gradients that it gets.
    """

    sees_calls: bool = True
    keeps_graph: bool = False
    is_differentiable: bool = False

    def change_batch(self, batch: Batch) -> Batch:
        """Return the batch on which the network runs."""
        return batch

    def hooks(self) -> contextlib.AbstractContextManager[None]:
        """Return a context that is open while the network runs."""
        return contextlib.nullcontext()

    def sequence_first(self, samples: int) -> contextlib.AbstractContextManager[None]:
        """Return a context in which layers see (positions, samples, features), or its first two dimensions as one."""
        return contextlib.nullcontext()

    def before(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments | None:
        """Look at a call before it runs, and return the arguments that replace its own; None keeps its own."""
        return None

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
        """Look at the result of a call, and return what replaces it; None keeps it."""
        return None

    def sources(self) -> Sequence[Tensor | GradientEdge]:
        """Return the tensors and edges with respect to which the read-out is differentiated."""
        return ()

    def take_gradients(self, readout: Tensor, gradients: Sequence[Tensor | None]) -> None:
        """Take the gradients of the sum of `readout`, (samples,), one for each of `sources`; None stands for zero."""

    def finish(self, trace: Trace) -> Trace:
        """Return `trace` together with the recorded data."""
        return trace
