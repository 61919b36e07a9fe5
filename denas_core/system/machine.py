"""Facts about this machine and its software, which decide the exact bits of a score, and its memory."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path

from denas_core.errors import ConfigError
from denas_core.seeding import digest
from denas_core.text import printable

NUMERIC_PACKAGES = ("torch", "numpy")
LONGEST_NAME = 100


def environment(device: str = "cpu") -> dict[str, str]:
    """Return what the exact bits of a score depend on: versions of Python and numeric packages, processor, device."""
    facts = {"python": platform.python_version(), "machine": platform.machine(), "processor": _processor()}
    for package in NUMERIC_PACKAGES:
        facts[package] = installed_version(package)
    if device != "cpu":
        import torch

        facts["device"] = f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    return facts


def environment_fingerprint() -> str:
    """Return a hash of `environment`. Scores are bit-identical on machines where it is equal."""
    return digest(environment(), size=8)


def latency_fingerprint(*, device: str = "cpu", threads: int = 1, **facts: object) -> str:
    """Return a hash of what a latency depends on besides the network. Calibrations are kept under it.

    Args:
        device: ``cpu`` or ``cuda``.
        threads: Threads of one call.
        facts: What else it depends on, as JSON can represent it: the probe's id and options, the batch.
    """
    known = {**environment(device), "cores": os.cpu_count(), "threads": threads}
    return digest({**known, "facts": facts}, size=8)


def check_machine_name(name: str) -> str:
    """Return the name that a user gives to a machine, without blanks around it.

    Raises:
        ConfigError: it is empty, has more than one line, or is too long.
    """
    if not name.strip() or printable(name) != name or len(name) > LONGEST_NAME:
        raise ConfigError(f"machine {name!r} is not a name: one line of 1 to {LONGEST_NAME} characters")
    return name.strip()


def installed_version(distribution: str) -> str:
    """Return the version of an installed distribution, or ``not installed``, without importing it."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def moment(seconds: float | None = None) -> str:
    """Return a time as text, in UTC and with seconds; by default the present."""
    now = datetime.datetime.now(datetime.UTC)
    time = now if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return time.strftime("%Y-%m-%d %H:%M:%S UTC")


def memory_bytes() -> int | None:
    """Return how much memory this process may use: that of the machine or the limit of its control group."""
    try:
        limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (ValueError, OSError, AttributeError):
        return None
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(name).read_text().strip()
        except OSError:
            continue
        if text.isdecimal():
            limits.append(int(text))
    return min(limits)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    facts = [
        line.partition(":")[2].strip()
        for line in lines
        if line.startswith(("model name", "flags", "Features"))
    ]
    model = facts[0] if facts else "unknown"
    return f"{model} ({digest(sorted(set(facts)), size=4)})"
