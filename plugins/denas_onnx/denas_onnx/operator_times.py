"""Time operators in ONNX Runtime. This file needs only onnxruntime and numpy: `python FILE CALLS.json TIMES.json`.

CALLS.json is what `denas latency script` writes: operator calls, each with small ONNX graphs. TIMES.json is what `denas
latency import` reads: the milliseconds of each call on this machine, or null for a call without graphs.
"""

from __future__ import annotations

import base64
import json
import math
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# This comes before onnxruntime, which otherwise sends events, and keeps an id of the machine in the home directory.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime  # type: ignore[import-untyped]

SCHEMA = "denas.operator-times/1"
WEIGHTS = "weights.bin"
"""Name of the file to which the graphs refer. It has random numbers, so a description of a graph is small."""

LEVELS = {
    "all": "ORT_ENABLE_ALL",
    "extended": "ORT_ENABLE_EXTENDED",
    "basic": "ORT_ENABLE_BASIC",
    "none": "ORT_DISABLE_ALL",
}
"""How ONNX Runtime calls the optimisations of a graph."""

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
BLOCK_MS = 0.3
BLOCKS = 3
PASSES = 4
MOST_BYTES = 256_000_000
"""Weights of the graphs that are in memory at once."""


def session_options(*, threads: int, optimisations: str = "all", parallel: bool = False) -> Any:
    """Return options of a session, see `denas_onnx.program.open_session`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = threads if parallel else 1
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, LEVELS[optimisations])
    if parallel:
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
    # Warnings of the optimiser only concern authors of operators.
    options.log_severity_level = 3
    return options


def time_graphs(
    all_graphs: Sequence[Mapping[str, Any] | None],
    *,
    device: str = "cpu",
    seconds: float = math.inf,
    options: Mapping[str, Any],
    on_progress: Callable[[int, int], None] | None = None,
) -> list[float | None]:
    """Return the milliseconds of each operator; None where there are no graphs, or time was up.

    A graph with several copies of an operator takes longer than one with a single copy. The difference, divided by the
    number of further copies, is the time of the operator: without the call of the session, and without the conversion
    of inputs and outputs to the layout of the runtime, which a network pays once. The graphs are timed in several
    passes, each in another order, and the fastest time counts, because other work only slows a call down.

    Args:
        all_graphs: For each operator ``once`` and ``several`` (graphs in base64), ``copies`` and ``bytes``, or
            ``merged`` if the runtime computes it within another operator; None for an operator without graphs.
        device: ``cpu`` or ``cuda``.
        seconds: How long this may take.
        options: Arguments of `session_options`.
        on_progress: Is called with the number of operators that are timed, and of all.
    """
    until = time.monotonic() + seconds
    times: list[float | None] = [0.0 if each and each.get("merged") else None for each in all_graphs]
    known = {place: each for place, each in enumerate(all_graphs) if each and not each.get("merged")}
    done = 0
    with tempfile.TemporaryDirectory(prefix="denas_operators_") as name:
        folder = Path(name)
        longest = max((each["bytes"] for each in known.values()), default=0)
        numbers = np.random.default_rng(0).random(longest // 4 + 1, dtype=np.float32)
        # Numbers near zero would become denormal, and arithmetic with those is slow.
        (0.1 + 0.1 * numbers).tofile(folder / WEIGHTS)
        for group in _groups(known):
            for place, ms in _time_group(group, folder, device, until, options).items():
                times[place] = ms
            done += len(group)
            if on_progress is not None:
                on_progress(done, len(known))
            if time.monotonic() > until:
                break
    return times


def _groups(known: Mapping[int, Mapping[str, Any]]) -> Iterator[dict[int, Mapping[str, Any]]]:
    """Yield graphs that may be in memory together. Operators are mixed, so that a group has each kind."""
    order = list(known)
    random.Random(0).shuffle(order)
    group: dict[int, Mapping[str, Any]] = {}
    size = 0
    for place in order:
        needed = known[place]["bytes"] * (known[place]["copies"] + 1)
        if group and size + needed > MOST_BYTES:
            yield group
            group, size = {}, 0
        group[place] = known[place]
        size += needed
    if group:
        yield group


def _time_group(
    group: Mapping[int, Mapping[str, Any]],
    folder: Path,
    device: str,
    until: float,
    options: Mapping[str, Any],
) -> dict[int, float]:
    calls: dict[int, list[Callable[[], object]]] = {}
    for place, graphs in group.items():
        if time.monotonic() > until:
            break
        try:
            calls[place] = [_prepared(graphs[name], folder, device, options) for name in ("once", "several")]
        # A runtime may refuse any graph in its own way; the time is then estimated from others.
        except Exception as error:
            sys.stderr.write(f"an operator cannot be timed: {type(error).__name__}: {str(error)[:200]}\n")
    best = {place: [math.inf, math.inf] for place in calls}
    shuffle = random.Random(0)
    order = list(calls)
    for _ in range(PASSES):
        shuffle.shuffle(order)
        for place in order:
            if time.monotonic() > until:
                break
            for number, call in enumerate(calls[place]):
                best[place][number] = min(best[place][number], _time(call))
    return {
        place: max(several - once, 0.0) / (group[place]["copies"] - 1)
        for place, (once, several) in best.items()
        if math.isfinite(several)
    }


def _prepared(graph: str, folder: Path, device: str, options: Mapping[str, Any]) -> Callable[[], object]:
    path = folder / "graph.onnx"
    path.write_bytes(base64.b64decode(graph))
    session = onnxruntime.InferenceSession(path, session_options(**options), providers=[PROVIDERS[device]])
    random_numbers = np.random.default_rng(0)
    inputs = {
        each.name: random_numbers.uniform(0.1, 1.0, each.shape).astype(np.float32)
        for each in session.get_inputs()
    }
    return lambda: session.run(None, inputs)


def _time(call: Callable[[], object]) -> float:
    call()
    start = time.perf_counter_ns()
    call()
    once = max(time.perf_counter_ns() - start, 1) / 1e6
    number = max(1, min(200, int(BLOCK_MS / once)))
    blocks = []
    for _ in range(BLOCKS):
        start = time.perf_counter_ns()
        for _ in range(number):
            call()
        blocks.append((time.perf_counter_ns() - start) / 1e6 / number)
    return min(blocks)


def main(source: str, target: str) -> None:
    """Time all calls of a file, and write their times to another."""

    def progress(done: int, total: int) -> None:
        sys.stderr.write(f"{done} of {total} operators are timed\n")

    document = json.loads(Path(source).read_text(encoding="utf-8"))
    calls, about = document["calls"], document["target"]
    options = {name: about["probe"][name] for name in ("optimisations", "parallel")}
    times = time_graphs(
        [call.pop("graphs", None) for call in calls],
        device=about["device"],
        options={"threads": about["threads"], **options},
        on_progress=progress,
    )
    document["machine"] = {
        "node": platform.node(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
    }
    document["schema"] = SCHEMA
    document["calls"] = [{**call, "ms": ms} for call, ms in zip(calls, times, strict=True)]
    Path(target).write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: python {sys.argv[0]} CALLS.json TIMES.json")
    main(*sys.argv[1:])
