"""Asking another Python process: whether keys are the same there, and what importing a plugin loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from denas_core.testing.check import CheckFailed, CheckSkipped

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace

SECONDS = 120
SAMPLED = 12


def keys_elsewhere(space: SearchSpace) -> list[str]:
    """Return the keys of samples drawn in a process whose strings hash differently.

    Raises:
        CheckSkipped: the class cannot be imported by its name.
    """
    cls = type(space)
    if cls.__module__ == "__main__" or "<locals>" in cls.__qualname__:
        raise CheckSkipped(f"another process cannot import {cls.__qualname__}; move it into a module")
    question = {
        "ask": "keys",
        "module": cls.__module__,
        "name": cls.__qualname__,
        "options": space.options(),
        "id": space.id,
    }
    return list(_ask(question))


def loaded_by(module: str) -> dict[str, Any]:
    """Return what importing a module loads (``loaded``) and prints (``printed``) in a new process."""
    return dict(_ask({"ask": "loaded", "module": module}))


def sampled_keys(space: SearchSpace) -> list[str]:
    """Return the keys of samples drawn from fixed seeds."""
    import random

    return [space.sample(random.Random(seed)).key for seed in range(SAMPLED)]


def _ask(question: dict[str, Any]) -> Any:
    # Another seed than this process has, if it has a fixed one.
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    process = subprocess.run(
        # -P: a folder named denas_core in the working directory must not hide this package.
        [sys.executable, "-P", "-m", __name__],
        input=json.dumps({**question, "path": sys.path}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        timeout=SECONDS,
        check=False,
    )
    lines = process.stdout.splitlines()
    if process.returncode or not lines:
        reason = process.stderr.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        raise CheckFailed(f"a new Python process cannot import {question['module']}: {reason[0]}")
    return json.loads(lines[-1])


def _answer(question: dict[str, Any]) -> Any:
    import importlib

    sys.path[:] = question["path"]
    if question["ask"] == "loaded":
        before = set(sys.modules)
        printed = _import_quietly(question["module"])
        return {"loaded": sorted(set(sys.modules) - before), "printed": printed}
    found: Any = importlib.import_module(question["module"])
    for part in question["name"].split("."):
        found = getattr(found, part)
    from denas_core.registry.options import make_component

    return sampled_keys(make_component(found, question["options"], id=question["id"]))


def _import_quietly(module: str) -> str:
    import contextlib
    import importlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        importlib.import_module(module)
    return printed.getvalue()


if __name__ == "__main__":
    _reply = json.dumps(_answer(json.loads(sys.stdin.read())))
    sys.stdout.write(f"\n{_reply}\n")
