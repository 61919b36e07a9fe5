"""Standard streams for plugins: what they print goes to standard error, and closing a stream closes nothing."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

_NAMES = ("stdout", "stderr", "__stdout__", "__stderr__")


class UncloseableStream:
    """A stream that cannot be closed; writing to it never fails, even if nobody reads."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        """Write if somebody reads; a closed pipe must not change a score."""
        with contextlib.suppress(Exception):
            self._stream.write(data)
        return len(data)

    def flush(self) -> None:
        """Flush if somebody reads."""
        with contextlib.suppress(Exception):
            self._stream.flush()

    def close(self) -> None:
        """Do nothing: the stream belongs to the process."""

    @property
    def buffer(self) -> UncloseableStream:
        """The stream of bytes below, which cannot be closed either."""
        return UncloseableStream(self._stream.buffer)

    def detach(self) -> UncloseableStream:
        """Return the stream of bytes, and leave it attached."""
        return self.buffer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send standard output to standard error for a while, and keep both open.

    This includes the file descriptors, to which C code and child processes write; closed ones are opened again.
    """
    before = {name: getattr(sys, name) for name in _NAMES}
    stream = sys.stderr if isinstance(sys.stderr, UncloseableStream) else UncloseableStream(sys.stderr)
    copies: dict[int, int] = {}
    # A closed descriptor cannot be redirected, nor can one be copied if no more can be opened.
    with contextlib.suppress(OSError):
        copies = {number: os.dup(number) for number in (2, 1)}
        os.dup2(2, 1)
    vars(sys).update(dict.fromkeys(_NAMES, stream))
    try:
        yield
    finally:
        vars(sys).update(before)
        for number, copy in copies.items():
            with contextlib.suppress(OSError):
                os.dup2(copy, number)
                os.close(copy)
