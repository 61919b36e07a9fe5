"""Running lines of Python as a user would: in a new process, with DE-NAS or without it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable

SECONDS = 120

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


def fault_of(code: str, *, absent: Iterable[str] = ()) -> str:
    """Return what goes wrong where a new Python process runs `code` in an empty directory; empty if nothing does.

    Args:
        code: The lines.
        absent: Packages that cannot be imported there; if there are any, none of DE-NAS can.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-c", _CHILD],
                input=json.dumps({"path": sys.path, "absent": sorted(absent), "code": code}),
                capture_output=True,
                text=True,
                encoding="utf-8",
                cwd=folder,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"it takes more than {SECONDS} seconds"
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
