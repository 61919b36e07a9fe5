"""Python in a new process: whether keys are the same there, what a plugin loads, whether lines of usage run."""

from __future__ import annotations

import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.testing.check import CheckFailed, CheckSkipped

SECONDS = 120
SAMPLED = 12

_CHILD = """
import json, sys
given = json.loads(sys.stdin.read())
sys.path[:] = given["path"]
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in given["absent"] or name.startswith("denas_"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
if given["absent"]:
    sys.meta_path.insert(0, Absent())
exec(compile(given["code"], "<usage>", "exec"), {"__name__": "__main__"})
"""
_LOADED = """
import contextlib, importlib, io, json, sys
before = set(sys.modules)
with contextlib.redirect_stdout(io.StringIO()) as printed:
    importlib.import_module({module!r})
print(json.dumps({{"loaded": sorted(set(sys.modules) - before), "printed": printed.getvalue()}}))
"""
_KEYS = """
import json
from denas_core.testing.checks.processes import keys_of
print()
print(json.dumps(keys_of({module!r}, {name!r}, json.loads({options!r}), {id!r})))
"""


def keys_elsewhere(space: SearchSpace) -> list[str]:
    """Return the keys of samples drawn in a process whose strings hash differently."""
    cls = type(space)
    if cls.__module__ == "__main__" or "<locals>" in cls.__qualname__:
        raise CheckSkipped(f"another process cannot import {cls.__qualname__}; move it into a module")
    options = json.dumps(space.options())
    code = _KEYS.format(module=cls.__module__, name=cls.__qualname__, options=options, id=space.id)
    return list(_answer(code, cls.__module__))


def keys_of(module: str, name: str, options: Mapping[str, Any], id: str) -> list[str]:
    """Return the keys of samples of the space that a class and its options make."""
    from denas_core.registry.options import make_component

    cls: Any = importlib.import_module(module)
    for part in name.split("."):
        cls = getattr(cls, part)
    return sampled_keys(make_component(cls, options, id=id))


def sampled_keys(space: SearchSpace) -> list[str]:
    """Return the keys of samples drawn from fixed seeds."""
    return [space.sample(random.Random(seed)).key for seed in range(SAMPLED)]


def loaded_by(module: str) -> dict[str, Any]:
    """Return what importing a module loads (``loaded``) and prints (``printed``) in a new process."""
    return dict(_answer(_LOADED.format(module=module), module))


def fault_of(code: str, *, absent: Iterable[str] = ()) -> str:
    """Return what goes wrong where a new Python process runs `code` in an empty directory; empty if nothing does.

    Args:
        code: The lines.
        absent: Packages that cannot be imported there; if there are any, none of DE-NAS can.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            return _fault(_run(code, absent=absent, directory=folder))
        except subprocess.TimeoutExpired:
            return f"it takes more than {SECONDS} seconds"


def _answer(code: str, module: str) -> Any:
    done = _run(code)
    if fault := _fault(done):
        raise CheckFailed(f"a new Python process cannot import {module}: {fault}")
    return json.loads(done.stdout.splitlines()[-1])


def _fault(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return lines[-1] if done.returncode else ""


def _run(
    code: str, *, absent: Iterable[str] = (), directory: str | Path | None = None
) -> subprocess.CompletedProcess[str]:
    # Another seed than this process has, if it has a fixed one.
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    return subprocess.run(
        # -P: a folder named denas_core in the working directory must not hide this package.
        [sys.executable, "-P", "-c", _CHILD],
        input=json.dumps({"path": sys.path, "absent": sorted(absent), "code": code}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=directory,
        timeout=SECONDS,
        check=False,
    )
