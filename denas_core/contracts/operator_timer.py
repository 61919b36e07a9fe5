"""What times single operators in the runtime of a probe, for the model of latency."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any


class OperatorTimer(ABC):
    """Times single operators as a runtime runs them inside a network.

    A model of latency sums the times of the operators of a network. The operators are those of PyTorch, because a
    network is read without a runtime. A probe whose runtime is another one returns such an object from
    `LatencyProbe.operator_timer`, so that the times are those of its own kernels.

    An operator call is a mapping with ``name``, such as ``aten.linear.default``, and ``arguments``: a list of the
    positional arguments and a mapping of the named ones, where a tensor is ``{"shape": [1, 3], "dtype": "float32"}``.
    """

    @abstractmethod
    def facts(self) -> Mapping[str, Any]:
        """Return what times depend on besides machine, device and threads: the runtime, its version, its options."""

    @abstractmethod
    def times(
        self, calls: Sequence[Mapping[str, Any]], *, device: str, threads: int, seconds: float
    ) -> Sequence[float | None]:
        """Return the milliseconds of each call, without what the runtime spends once for a whole network.

        An operator that the runtime merges into another one takes 0. None stands for a call that cannot be timed, or
        for which the time did not suffice; PyTorch then times it.

        Args:
            calls: Operator calls.
            device: ``cpu`` or ``cuda``.
            threads: Threads of one call.
            seconds: How long this may take.
        """

    @abstractmethod
    def script(self) -> str:
        """Return a Python program that times calls on another machine: ``python FILE CALLS.json TIMES.json``.

        CALLS.json has ``calls`` as `portable` returned them, and ``target`` with ``threads``, ``device`` and ``probe``.
        TIMES.json has the same, each call with ``ms``, the schema ``denas.operator-times/1``, and ``machine``, which
        names the machine and its software.
        """

    def portable(self, calls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return calls with what the script needs to make them, as JSON can represent it; by default as they are."""
        return [dict(call) for call in calls]
