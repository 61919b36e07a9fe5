"""How many worker processes this machine has room for: by its cores, by its memory, and by what the user says."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import psutil

from denas_core.errors import ConfigError
from denas_core.system.machine import memory_bytes
from denas_core.text import quantity

VARIABLE = "DENAS_WORKERS"
"""Environment variable with the number of workers where neither an option nor a configuration names one."""

PROCESS_BYTES = 450 * 2**20
"""Memory of a worker process before its first candidate: Python, torch and the plugin's libraries."""

MEMORY_SHARE = 0.9
"""Share of the free memory that all workers together may hold."""

_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_MEMORY_USED = Path("/sys/fs/cgroup/memory.current")


@dataclasses.dataclass(frozen=True, slots=True)
class Capacity:
    """The room for workers on this machine.

    Attributes:
        cores: Cores that this process may use.
        by_cores: Workers that the cores allow.
        by_memory: Workers that fit in the free memory; None if the memory is unknown.
        free_bytes: Free memory; None if it is unknown.
        worker_bytes: Memory that a worker needs.
    """

    cores: int
    by_cores: int
    by_memory: int | None
    free_bytes: int | None
    worker_bytes: int

    @property
    def workers(self) -> int:
        """The number of workers that cores and memory allow, at least one."""
        return max(1, min(self.by_cores, self.by_cores if self.by_memory is None else self.by_memory))

    def describe(self) -> str:
        """Return how many workers fit and why, in one line."""
        line = f"{self.workers}: {self.cores} cores"
        if self.by_memory is None or self.free_bytes is None:
            return f"{line}; the free memory is unknown"
        return (
            f"{line}, and {quantity(self.free_bytes)}B of free memory, which is enough for {self.by_memory} "
            f"(at least {quantity(self.worker_bytes)}B each, and more for large candidates)"
        )


def capacity(*, threads: int = 1, candidate_bytes: int | None = None) -> Capacity:
    """Return how many workers this machine has room for.

    Args:
        threads: Threads of each worker.
        candidate_bytes: Memory that the largest candidate takes, without the process around it; None if unknown.
    """
    cores, free, needed = usable_cores(), free_memory(), PROCESS_BYTES + (candidate_bytes or 0)
    return Capacity(
        cores=cores,
        by_cores=max(1, cores // threads),
        by_memory=None if free is None else int(free * MEMORY_SHARE) // needed,
        free_bytes=free,
        worker_bytes=needed,
    )


def asked_workers() -> int | None:
    """Return the number of workers that the environment variable `VARIABLE` asks for; None if it is not set.

    Raises:
        ConfigError: it is not a positive whole number.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    if not (text.isdecimal() and text.isascii() and 0 < int(text) < 10_000):
        raise ConfigError(
            f"the environment variable {VARIABLE}={text!r} must be a number of workers, such as 4"
        )
    return int(text)


def check_fits(workers: int, room: Capacity) -> None:
    """Check that the memory suffices for a number of workers that the user asked for.

    Raises:
        ConfigError: it does not. The text says how many fit.
    """
    if room.by_memory is not None and room.free_bytes is not None and workers > max(1, room.by_memory):
        raise ConfigError(
            f"{workers} workers need about {quantity(workers * room.worker_bytes)}B of memory, and "
            f"{quantity(room.free_bytes)}B are free; at most {max(1, room.by_memory)} fit"
        )


def usable_cores() -> int:
    """Return the number of cores that this process may use, by its affinity and the quota of its control group."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = _CPU_QUOTA.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))


def free_memory() -> int | None:
    """Return the bytes of memory that this process may still use; None if the system does not say."""
    try:
        free = int(psutil.virtual_memory().available)
    except (psutil.Error, OSError, NotImplementedError):
        return None
    total = memory_bytes()
    try:
        used = int(_MEMORY_USED.read_text())
    except (OSError, ValueError):
        return free
    return free if total is None else max(0, min(free, total - used))
