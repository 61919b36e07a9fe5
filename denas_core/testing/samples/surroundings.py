"""What belongs to the whole process: how it is read, changed for a while, and put back."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denas_core.isolation.guard import restored

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def readings() -> dict[str, Any]:
    """Return the state of the process that a component may change by mistake, by name."""
    found: dict[str, Any] = {
        "Python's random generator": random.getstate(),
        "the working directory": os.getcwd(),  # noqa: PTH109
        "environment variables": dict(os.environ),
        "the import path": list(sys.path),
        # Libraries silence warnings of their own when they are imported, which harms nobody.
        "warning filters": [entry for entry in warnings.filters if entry[0] != "ignore"],
        "signal handlers": [signal.getsignal(number) for number in _SIGNALS],
    }
    if numpy := sys.modules.get("numpy"):
        found["numpy's random generator"] = repr(numpy.random.get_state(legacy=False))
    if torch := sys.modules.get("torch"):
        found |= {
            "torch's random generator": torch.get_rng_state().numpy().tobytes(),
            "torch's default dtype": torch.get_default_dtype(),
            "torch's default device": torch.get_default_device(),
            "torch's number of threads": torch.get_num_threads(),
            "torch's gradient mode": torch.is_grad_enabled(),
            "torch's determinism": torch.are_deterministic_algorithms_enabled(),
            "torch's matrix precision": torch.get_float32_matmul_precision(),
            "torch's anomaly detection": torch.is_anomaly_enabled(),
        }
    return found


@contextlib.contextmanager
def other_seeds() -> Iterator[None]:
    """Give the global random generators another state for a while."""
    with restored():
        random.seed(11)
        if numpy := sys.modules.get("numpy"):
            numpy.random.seed(11)
        if torch := sys.modules.get("torch"):
            torch.manual_seed(11)
        yield


@contextlib.contextmanager
def empty_directory(component: Any) -> Iterator[None]:
    """Work in an empty directory for a while, unless an option of the component names a file of this one."""
    names = [value for value in component.options().values() if isinstance(value, str) and value]
    if any(not Path(name).is_absolute() and Path(name).exists() for name in names):
        yield
        return
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield
