"""How much memory torch allocates at most during a call."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from denas_core.values.latency import Latency
from denas_core.values.metrics import ArchitectureMetric

PEAK_MEMORY = ArchitectureMetric(
    name="peak_memory_mb", label="peak memory of a call", unit="MB", is_measured=True
)


def peak_memory(call: Callable[[], object]) -> Latency:
    """Return the most memory that torch holds for intermediate results during a call, in MB.

    Weights and inputs are not included, because they exist before the call. On the processor, the profiler of torch
    reports each allocation; on a GPU, its allocator counts. Neither depends on other work of the machine. The memory of
    the whole process would, and would include that of torch itself.
    """
    import torch

    call()
    # A program that has used the GPU has asked it for memory.
    if torch.cuda.is_available() and torch.cuda.memory_allocated():
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        most = torch.cuda.max_memory_allocated() - before
    else:
        most = _most_allocated(call)
    megabytes = most / 1e6
    return Latency(median=megabytes, low=megabytes, high=megabytes, verdict="stable", rounds=1)


def _most_allocated(call: Callable[[], object]) -> int:
    from torch.profiler import ProfilerActivity, profile

    with _silent_errors(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        call()
    events = recorded.profiler.kineto_results.events()
    changes = sorted(
        (event.start_ns(), place, event.nbytes())
        for place, event in enumerate(events)
        if event.name() == "[memory]"
    )
    held = most = 0
    for _, _, change in changes:
        held += change
        most = max(most, held)
    return most


@contextlib.contextmanager
def _silent_errors() -> Iterator[None]:
    """Close standard error to native code: the profiler prints a line when it begins, and one when it ends."""
    try:
        copy = os.dup(2)
    except OSError:
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  (os.devnull is no path of a file)
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(copy, 2)
        os.close(copy)
