"""Standard output held for the command alone: whatever else the process writes to it goes to standard error."""

from __future__ import annotations

import os
import sys

STDOUT, STDERR = 1, 2


def mend_streams() -> None:
    """Make both streams fit to print on: a closed one drops what it is given, and no character fails."""
    for descriptor, name in ((STDOUT, "stdout"), (STDERR, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            # On its own number, which the next file to be opened would take, and receive what others print.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            if nowhere != descriptor:
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
            os.set_inheritable(descriptor, True)
            setattr(sys, name, open(descriptor, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def hold_standard_output() -> None:
    """Give Python's standard output a descriptor of its own, and point number 1 at standard error.

    So what C libraries and child processes print does not land in a document. It is never given back: C libraries print
    what they have buffered as the process ends. Where something else captures standard output, nothing is done.
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
    # Others ask this one for the width of the terminal.
    setattr(sys, "__stdout__", sys.stdout)  # noqa: B010  (declared final)
