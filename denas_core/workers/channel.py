"""Frames on a socket: the kind of a message in one byte, its length in four, and its content."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

JOB, WORK = b"J", b"W"
"""Kinds of frames to a worker."""

READY, UNABLE, ANSWER = b"R", b"U", b"A"
"""Kinds of frames from a worker."""

KINDS = frozenset((JOB, WORK, READY, UNABLE, ANSWER))

LARGEST = 2**30

_HEADER = struct.Struct("!cI")


def send_frame(to: socket.socket, kind: bytes, content: bytes = b"") -> None:
    """Send one frame, and wait until the socket has taken it."""
    to.sendall(_HEADER.pack(kind, len(content)) + content)


class Inbox:
    """What has arrived on a socket.

    Attributes:
        is_open: Whether more can arrive. What does not look like a frame closes the inbox.
    """

    def __init__(self, source: socket.socket) -> None:
        self.is_open = True
        self._source = source
        self._buffer = bytearray()

    def read(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the kind and content of each frame that is complete. It reads once, and waits until it can."""
        try:
            found = self._source.recv(1 << 20)
        except OSError:
            found = b""
        self.is_open = self.is_open and bool(found)
        self._buffer += found
        while len(self._buffer) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._buffer)
            if kind not in KINDS or length > LARGEST:
                self.is_open = False
                return
            end = _HEADER.size + length
            if len(self._buffer) < end:
                return
            content = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            yield kind, content
