"""Running ``denas`` in a terminal of a given width, as a user sees it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

from tests.core.toy_searches import denas_command, environment


def in_terminal(width: int, *arguments: str, cwd: Path | None = None, colour: bool = False) -> str:
    """Return what ``denas`` prints on a terminal with lines of `width` cells, without colour unless it is asked for."""
    primary, secondary = pty.openpty()
    fcntl.ioctl(primary, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    surroundings = {
        name: value for name, value in environment().items() if name not in ("COLUMNS", "NO_COLOR", "TERM")
    }
    surroundings |= {"TERM": "xterm"} | ({} if colour else {"NO_COLOR": "1"})
    process = subprocess.Popen(
        denas_command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=secondary,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=surroundings,
    )
    os.close(secondary)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error of input
        while part := os.read(primary, 65536):
            shown += part
    os.close(primary)
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    return shown.decode().replace("\r\n", "\n")
