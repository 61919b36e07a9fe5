"""A worker process: it loads a job, evaluates what it is sent, and ends when the search that started it ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys

from denas_core.text import describe_error

from .channel import ANSWER, JOB, READY, UNABLE, WORK, Inbox, send_frame
from .job import Function, answer_to, load_job

_PR_SET_PDEATHSIG = 1


def main(descriptor: int, parent: int) -> None:
    """Serve the search with process id `parent`, through the socket with this descriptor, until it is closed."""
    _end_with(parent)
    # Children of a plugin do not inherit the socket, so that it closes when this process ends.
    os.set_inheritable(descriptor, False)
    channel = socket.socket(fileno=descriptor)
    inbox = Inbox(channel)
    function: Function | None = None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while inbox.is_open:
            for kind, content in inbox.read():
                if kind == JOB:
                    try:
                        function = load_job(content)
                    except BaseException as error:
                        send_frame(channel, UNABLE, describe_error(error).encode())
                        continue
                    send_frame(channel, READY)
                elif kind == WORK and function is not None:
                    send_frame(channel, ANSWER, answer_to(function, content))
    # Threads and handlers that plugins have left must not keep the process.
    sys.stderr.flush()
    os._exit(0)


def _end_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, even if it hangs; only Linux can do that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
