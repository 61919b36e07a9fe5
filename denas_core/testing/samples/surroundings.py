"""What a plugin must leave alone: random generators, settings of torch, the working directory, standard output."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denas_core.isolation.guard import restored as restored
from denas_core.testing.check import require
from denas_core.text import safe_repr


def readings() -> dict[str, Any]:
    """Return the state of the process that a component could change, by name; that of numpy and torch if loaded."""
    found: dict[str, Any] = {
        "Python's random generator": random.getstate(),
        "the working directory": str(Path.cwd()),
        "environment variables": dict(os.environ),
    }
    if numpy := sys.modules.get("numpy"):
        found["numpy's random generator"] = repr(numpy.random.get_state(legacy=False))
    if torch := sys.modules.get("torch"):
        found |= {
            "torch's random generator": torch.get_rng_state().numpy().tobytes(),
            "torch's default dtype": torch.get_default_dtype(),
            "torch's number of threads": torch.get_num_threads(),
            "torch's gradient mode": torch.is_grad_enabled(),
            "torch's determinism": torch.are_deterministic_algorithms_enabled(),
            "torch's matrix precision": torch.get_float32_matmul_precision(),
        }
    return found


@contextlib.contextmanager
def left_alone(who: str) -> Iterator[None]:
    """Fail if what runs inside changes the state of the process.

    Raises:
        CheckFailed: naming what was changed; it is put back.
    """
    with restored():
        before = readings()
        yield
        after = readings()
        changed = [name for name, state in before.items() if after[name] != state]
        require(
            not changed,
            f"{who} changes {' and '.join(changed)}, which everyone shares: draw from the seed or rng that is given, "
            "e.g. torch.Generator().manual_seed(seed), and put back what is set",
        )


@contextlib.contextmanager
def silent(who: str) -> Iterator[None]:
    """Fail if what runs inside prints to standard output.

    Raises:
        CheckFailed: with the beginning of what was printed.
    """
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        yield
    require(
        not printed.getvalue(),
        f"{who} prints {safe_repr(printed.getvalue())} to standard output, which belongs to the command that runs: "
        "remove it, or use the logging module",
    )
