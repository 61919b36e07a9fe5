"""Run commands of ``denas`` in one process that dies when it opens an Internet socket.

A seccomp filter does it, which needs no privileges, holds for native code, and is inherited by every process that the
commands start. `main` prints what each command left in some folders.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import json
import os
import platform
import signal
import struct
import subprocess
import sys
from pathlib import Path

SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""By machine: how the kernel calls its set of system calls, and the number of ``socket`` in it."""

BESIDE = "beside"

INTERNET = (2, 10)
"""AF_INET and AF_INET6."""

_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # of the Berkeley Packet Filter
_ALLOW, _TRAP = 0x7FFF0000, 0x00030000
_NUMBER_AT, _SET_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2  # of prctl


def close_internet() -> None:
    """Make this process, and all that it starts, end with SIGSYS when it opens an Internet socket."""
    system_calls, socket = SOCKET[platform.machine()]
    steps = [
        (_LOAD, 0, 0, _SET_AT),
        (_IF_EQUAL, 0, 5, system_calls),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_EQUAL, 0, 3, socket),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_IF_EQUAL, 2, 0, INTERNET[0]),
        (_IF_EQUAL, 1, 0, INTERNET[1]),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _TRAP),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    library = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SET_SECCOMP, _FILTER, program, 0, 0)):
        if library.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "the kernel takes no seccomp filter")


def main(commands: Path, report: Path, folders: list[Path]) -> None:
    """Run commands, and report on each: its exit code, and which files it left that were not there before.

    A command line that begins with `BESIDE` starts in a process of its own, and the next one runs beside it. Both have
    ended before the one after that starts.

    Args:
        commands: A JSON file with a list of command lines.
        report: The JSON file to write.
        folders: Where to look for files.
    """
    close_internet()
    # Prints where in Python the socket was opened, and then lets the signal do its work.
    faulthandler.register(signal.SIGSYS, chain=True)
    from denas_core.cli import _run

    rows, known = [], _files(folders)
    other: subprocess.Popen[bytes] | None = None
    for line in json.loads(commands.read_text()):
        sys.stderr.write(f"denas {' '.join(line)}\n")
        if line[0] == BESIDE:
            other = subprocess.Popen(
                [sys.executable, "-P", "-m", "denas_core.cli", *line[1:]], stdout=sys.stderr
            )
            continue
        with contextlib.redirect_stdout(sys.stderr):
            code = _run(line, debug=True)
        if other is not None:
            if code:
                other.kill()
            code, other = code or other.wait(), None
        now = _files(folders)
        rows.append({"command": line[0], "code": code, "left": sorted(now - known)})
        known = now
        sys.stderr.write(f"{sum(os.times()[:4]):.1f} s of the processor so far\n")
    report.write_text(json.dumps(rows))


def _files(folders: list[Path]) -> set[str]:
    return {str(path) for folder in folders for path in folder.rglob("*")}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [Path(folder) for folder in sys.argv[3:]])
