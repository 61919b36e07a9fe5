"""What all tests share: workers, threads, an installed toy plugin, a Ctrl-C that reaches child processes."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# One thread for each worker, and for the processes that tests start: torch would otherwise start as many threads as
# there are cores in each of them. It reads the variable when it is imported, which happens after this file.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Workers, and the processes that tests start, read what another one has compiled. Images of containers often switch
# that off; every process would then rewrite the assertions of all files, which takes as long as their imports.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Searches of tests run in one process, so that they do not compete with other workers; tests of workers ask for them.
os.environ["DENAS_WORKERS"] = "1"

# Tests, and the processes that they start, neither read nor change what the user's own searches keep. Processes of
# pytest-xdist share the folder of the process that started them.
if "PYTEST_XDIST_WORKER" not in os.environ:
    _CACHE = tempfile.TemporaryDirectory(prefix="denas-cache-")
    os.environ["DENAS_CACHE"] = _CACHE.name

# It sets variables that processes inherit; they must be set before tests look at the environment.
importlib.import_module("denas_core")

TOY = Path(__file__).parent / "toy"
sys.path.insert(0, str(TOY))

MOST_WORKERS = 8
"""Each worker holds about 1 GB once it has imported torch and transformers."""

# A shell starts background jobs with SIGINT ignored, and nohup with SIGHUP, which their child processes would inherit.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, handler)

# A busy machine makes an example slow, which is no defect. What else the profile says, such as that of CI, stays.
settings.register_profile(
    "unhurried", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


# What a developer has set for the terminal or for DENAS must not decide what tests see.
_OF_THE_TERMINAL = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
for variable in (*_OF_THE_TERMINAL, "DENAS_DEBUG", "DENAS_DISABLE_PLUGINS"):
    os.environ.pop(variable, None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for garbage once after collecting, which makes little of it, and never again in what collecting has made."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that hold slow tests, so that no worker is left alone with one of them at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of workers for ``-n auto``: none if all tests are in one file, which one worker would run."""
    named = {argument.partition("::")[0] for argument in config.args}
    if len(named) == 1 and Path(*named).is_file():
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Tests wait for processes that they start and for the disk, a third of their time.
    return min(cores + cores // 2, MOST_WORKERS) if cores > 1 else 0
