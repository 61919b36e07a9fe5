"""Standard streams lent to plugins: what they print goes to standard error, and closing them closes nothing."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, Self

_NAMES = ("stdout", "stderr", "__stdout__", "__stderr__")


class Lent:
    """A stream that cannot be closed or taken away; writing to it never fails, even if nobody reads."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        """Write, as far as there is a reader: whether a plugin's chatter is read decides no score."""
        with contextlib.suppress(Exception):
            self._stream.write(data)
        return len(data)

    def flush(self) -> None:
        """Flush, as far as there is a reader."""
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
    def buffer(self) -> Lent:
        """The stream of bytes below, lent too."""
        return Lent(self._stream.buffer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.flush()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def lent_streams() -> Iterator[None]:
    """Point standard output and error at a lent standard error for a while.

    The same with their file descriptors, to which C code and child processes write; closed ones are opened again.
    """
    before = {name: getattr(sys, name) for name in (*_NAMES, "stdin")}
    lent = sys.stderr if isinstance(sys.stderr, Lent) else Lent(sys.stderr)
    for name in _NAMES:
        setattr(sys, name, lent)
    try:
        with _lent_descriptors():
            yield
    finally:
        for name, stream in before.items():
            setattr(sys, name, stream)


@contextlib.contextmanager
def _lent_descriptors() -> Iterator[None]:
    kept: dict[int, int] = {}
    # Where one is closed, or no more can be opened, there is nothing to lend.
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
