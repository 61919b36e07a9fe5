"""Times of single operators in ONNX Runtime, for the model of latency."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core import OperatorTimer, installed_version


@dataclasses.dataclass(frozen=True, kw_only=True)
class RuntimeOperators(OperatorTimer):
    """Times operators in ONNX Runtime with the options of the probe ``onnx/runtime``.

    Attributes:
        optimisations: Optimisations of the graph.
        parallel: Whether operators that do not depend on each other run at once.
    """

    optimisations: str
    parallel: bool

    def facts(self) -> Mapping[str, Any]:
        """Return the runtime, its version and its options."""
        return {"onnxruntime": installed_version("onnxruntime"), **dataclasses.asdict(self)}

    def times(
        self, calls: Sequence[Mapping[str, Any]], *, device: str, threads: int, seconds: float
    ) -> Sequence[float | None]:
        """Return the milliseconds of each call; None for one that has no translation."""
        from .operator_times import time_graphs

        return time_graphs(
            [call.get("graphs") for call in self.portable(calls)],
            device=device,
            seconds=seconds,
            options={"threads": threads, **dataclasses.asdict(self)},
        )

    def script(self) -> str:
        """Return a program that needs only onnxruntime and numpy."""
        from . import operator_times

        return Path(operator_times.__file__).read_text(encoding="utf-8")

    def portable(self, calls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return calls with small ONNX graphs, where there is a translation."""
        from .operator_graphs import graphs_of

        merges = self.optimisations != "none"
        found = [(call, graphs_of(call, merges=merges)) for call in calls]
        return [{**call, **({} if graphs is None else {"graphs": graphs})} for call, graphs in found]
