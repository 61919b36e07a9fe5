"""Standard streams for plugins: what they print goes to standard error, and closing a stream closes nothing."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, Self

_NAMES = ("stdout", "stderr", "__stdout__", "__stderr__")


class UncloseableStream:
    """A stream that cannot be closed or taken away; writing to it never fails, even if nobody reads."""

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

    def detach(self) -> Any:
        """Refuse.

        Raises:
            UnsupportedOperation: always.
        """
        raise io.UnsupportedOperation("the standard streams belong to the process")

    @property
    def buffer(self) -> UncloseableStream:
        """The stream of bytes below, which cannot be closed either."""
        return UncloseableStream(self._stream.buffer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.flush()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send standard output to standard error for a while, and keep both open.

    This includes the file descriptors, to which C code and child processes write; closed ones are opened again.
    """
    before = {name: getattr(sys, name) for name in (*_NAMES, "stdin")}
    stream = sys.stderr if isinstance(sys.stderr, UncloseableStream) else UncloseableStream(sys.stderr)
    for name in _NAMES:
        setattr(sys, name, stream)
    try:
        with _descriptors_to_stderr():
            yield
    finally:
        for name, kept in before.items():
            setattr(sys, name, kept)


@contextlib.contextmanager
def _descriptors_to_stderr() -> Iterator[None]:
    kept: dict[int, int] = {}
    # A closed descriptor cannot be redirected, nor can one be copied if no more can be opened.
    with contextlib.suppress(OSError):
        for number in (2, 1):
            kept[number] = os.dup(number)
        os.dup2(2, 1)
    try:
        yield
    finally:
        for number, copy in kept.items():
            with contextlib.suppress(OSError):
                os.dup2(copy, number)
                os.close(copy)
