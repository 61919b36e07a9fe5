"""Time single operators of torch. This file needs only torch: `python operator_times.py CALLS.json TIMES.json`.

CALLS.json is what `denas latency script` writes: a list of operator calls, each with the name of an operator and its
arguments. TIMES.json is what `denas latency import` reads: the milliseconds of each call on this machine, or null for
an operator that this machine's torch does not have.
"""

from __future__ import annotations

import json
import math
import platform
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SCHEMA = "denas.operator-times/1"
BLOCK_MS = 0.3
BLOCKS = 3
PASSES = 4


def time_calls(
    calls: list[dict[str, Any]],
    *,
    device: str = "cpu",
    seconds: float = math.inf,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[float | None]:
    """Return the milliseconds of each call; None if there is none, see below.

    The calls are timed in several passes, each in another order, and the fastest time of each call is kept: whatever
    else runs on the machine only slows a call down, and it seldom does so in every pass. A call has no time if it
    cannot be made on this machine, or if the passes ended before it.

    Args:
        calls: The calls, each with ``name`` and ``arguments``, see `time_call`.
        device: Device of the tensors.
        seconds: After this time, the passes end.
        on_progress: Is called with the number of timings that are done, and of all.
    """
    start = time.monotonic()
    times: list[float | None] = [None] * len(calls)
    broken: set[int] = set()
    shuffle = random.Random(0)
    order = list(range(len(calls)))
    for number in range(PASSES):
        shuffle.shuffle(order)
        for done, place in enumerate(order, start=1):
            if time.monotonic() - start > seconds:
                return times
            if place not in broken:
                call = calls[place]
                found = time_call(call["name"], call["arguments"], device=device)
                if found is None:
                    broken.add(place)
                else:
                    before = times[place]
                    times[place] = found if before is None else min(found, before)
            if on_progress is not None:
                on_progress(number * len(calls) + done, PASSES * len(calls))
    return times


def time_call(name: str, arguments: list[Any], *, device: str = "cpu") -> float | None:
    """Return the milliseconds of one call of an operator; None if it cannot be called here.

    Args:
        name: Name of the operator, such as ``aten.linear.default``.
        arguments: A list of the positional arguments, and a dict of the named ones.
        device: Device of the tensors.
    """
    import torch

    try:
        with torch.inference_mode():
            call = prepare_call(name, arguments, device=device)
            return _time(call, _waiter(device))
    # Any operator may refuse any argument in its own way; its time is then estimated from others.
    except Exception:
        return None


def prepare_call(name: str, arguments: list[Any], *, device: str = "cpu") -> Callable[[], object]:
    """Return a function that calls an operator on new tensors with the shapes of its arguments."""
    import torch

    function: Any = torch.ops
    for part in name.split("."):
        function = getattr(function, part)
    with torch.device(device):
        args = [_made(value) for value in arguments[0]]
        kwargs = {key: _made(value) for key, value in arguments[1].items()}

    def call() -> object:
        with torch.device(device):
            return function(*args, **kwargs)

    makes_tensors = not any(isinstance(value, torch.Tensor) for value in _flat([*args, *kwargs.values()]))
    return call if makes_tensors and device != "cpu" else lambda: function(*args, **kwargs)


def _made(value: Any) -> Any:
    import torch

    if isinstance(value, list):
        return [_made(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "shape" in value:
        return _tensor(value)
    (kind, text), *_ = value.items()
    if kind in ("dtype", "layout", "memory_format"):
        return getattr(torch, text)
    if kind == "float":
        return float(text)
    if kind == "device":
        return None
    raise ValueError(f"an argument of type {text} cannot be made again")


def _tensor(about: dict[str, Any]) -> Any:
    import torch

    dtype = getattr(torch, about["dtype"])
    shape = about["shape"]
    stride = about.get("stride")
    reach = sum((n - 1) * step for n, step in zip(shape, stride or [], strict=False)) + 1
    # An expanded tensor cannot be filled itself, because several of its elements are one in memory.
    tensor = torch.empty(shape if stride is None else 0 if 0 in shape else reach, dtype=dtype)
    # Zeros are valid indices. Random numbers avoid denormal numbers, with which arithmetic is slow.
    tensor = tensor.uniform_(0.1, 1.0) if dtype.is_floating_point else tensor.fill_(dtype == torch.bool)
    return tensor if stride is None else tensor.as_strided(shape, stride)


def _flat(values: list[Any]) -> list[Any]:
    return [
        item for value in values for item in (_flat(value) if isinstance(value, (list, tuple)) else [value])
    ]


def _waiter(device: str) -> Callable[[], None]:
    import torch

    return torch.cuda.synchronize if device.startswith("cuda") else lambda: None


def _time(call: Callable[[], object], wait: Callable[[], None]) -> float:
    call()
    wait()
    start = time.perf_counter_ns()
    call()
    wait()
    once = max(time.perf_counter_ns() - start, 1) / 1e6
    number = max(1, min(200, int(BLOCK_MS / once)))
    blocks = []
    for _ in range(BLOCKS):
        start = time.perf_counter_ns()
        for _ in range(number):
            call()
        wait()
        blocks.append((time.perf_counter_ns() - start) / 1e6 / number)
    return min(blocks)


def main(source: str, target: str) -> None:
    """Time all calls of a file, and write their times to another."""
    import torch

    def progress(done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            sys.stderr.write(f"{done} of {total} timings\n")

    document = json.loads(Path(source).read_text(encoding="utf-8"))
    torch.set_num_threads(document["target"]["threads"])
    calls = document["calls"]
    times = time_calls(calls, device=document["target"]["device"], on_progress=progress)
    document["machine"] = {
        "node": platform.node(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    document["schema"] = SCHEMA
    document["calls"] = [{**call, "ms": ms} for call, ms in zip(calls, times, strict=True)]
    Path(target).write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python operator_times.py CALLS.json TIMES.json")
    main(*sys.argv[1:])
