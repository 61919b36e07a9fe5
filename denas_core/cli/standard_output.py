"""Keep standard output for the command: everything else that the process writes to it goes to standard error."""

from __future__ import annotations

import os
import sys

STDOUT, STDERR = 1, 2


def make_streams_printable() -> None:
    """Prepare standard output and standard error: a closed one drops its text, and no character raises an error."""
    for descriptor, name in ((STDOUT, "stdout"), (STDERR, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            # Occupy the number: otherwise the next file to be opened takes it and receives what others print.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            if nowhere != descriptor:
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
            os.set_inheritable(descriptor, True)
            setattr(sys, name, open(descriptor, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def hold_standard_output() -> None:
    """Give Python's standard output a new descriptor, and point descriptor 1 at standard error.

    So the output of C libraries and child processes does not end up in a JSON document. The change is never undone,
    because C libraries print what they have buffered when the process ends. If another program captures standard
    output, nothing is changed.
    """
    stream = sys.stdout
    try:
        if stream.fileno() != STDOUT:
            return
        stream.flush()
        own = os.dup(STDOUT)
    except (OSError, ValueError):
        # A stream in memory has no descriptor.
        return
    os.dup2(STDERR, STDOUT)
    sys.stdout = open(  # noqa: SIM115, PTH123
        own, "w", buffering=1 if stream.isatty() else -1, encoding=stream.encoding, errors="backslashreplace"
    )
    # Other libraries read the width of the terminal from it.
    setattr(sys, "__stdout__", sys.stdout)  # noqa: B010  (declared final)
