"""Standard streams for plugins: printed text goes to standard error, and plugins cannot close the streams."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

_NAMES = ("stdout", "stderr", "__stdout__", "__stderr__")


class UncloseableStream:
    """A stream that cannot be closed. Writing to it never fails, even if its pipe is closed."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        """Write the data; a failure, such as that of a closed pipe, is ignored because it must not change a score."""
        with contextlib.suppress(Exception):
            self._stream.write(data)
        return len(data)

    def flush(self) -> None:
        """Flush the stream; a failure is ignored."""
        with contextlib.suppress(Exception):
            self._stream.flush()

    def close(self) -> None:
        """Do nothing, because the stream belongs to the process."""

    @property
    def buffer(self) -> UncloseableStream:
        """The underlying stream of bytes, which cannot be closed either."""
        return UncloseableStream(self._stream.buffer)

    def detach(self) -> UncloseableStream:
        """Return the stream of bytes, but keep it attached."""
        return self.buffer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send standard output to standard error inside the context, and keep both open.

    The file descriptors, to which C code and child processes write, are redirected too. Closed ones are opened again.
    """
    before = {name: getattr(sys, name) for name in _NAMES}
    stream = sys.stderr if isinstance(sys.stderr, UncloseableStream) else UncloseableStream(sys.stderr)
    copies: dict[int, int] = {}
    # This fails if a descriptor is closed, or if the process cannot open another one.
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
