"""Processes of Python that need not import torch: one process has imported it, and forks for each of them.

What is forked is what the command line would start, but for the seconds of those imports: it has its own streams,
environment, working directory and signals, imports the packages of this repository itself, and ends as Python ends.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_AT_START = ("PYTHON", "LANG", "LC_", "OMP_", "MKL_", "TORCH_", "HF_", "TRANSFORMERS_", "ACCELERATE_")
"""How names of variables begin that Python and the imported packages read when they start."""

_ENVIRONMENT = dict(os.environ)
"""What a process that forks starts with, whatever a test changes before it starts."""

_IMPORTED = ("torch", "pydantic", "typer", "rich.console", "rich.table", "rich.progress", "jinja2", "yaml")
_FOR_TRAINING = ("accelerate", "safetensors.torch", "transformers.trainer", "torch.utils.tensorboard")
"""Beside the others, for commands that train. What a process has imported it also takes apart at its end."""


class Forked:
    """A process that was forked, with what tests use of `subprocess.Popen`.

    Attributes:
        pid: Its process.
        returncode: Its exit code, negative for the signal that ended it; None until `poll` or `wait` has found its end.
        stdout: Its standard output, if it goes to a pipe.
        stderr: Its standard error, if it goes to a pipe.
    """

    def __init__(self, status: IO[str], stdout: IO[str] | None, stderr: IO[str] | None) -> None:
        self._status = status
        self.pid = int(status.readline())
        self.stdout, self.stderr = stdout, stderr
        self.returncode: int | None = None

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        self.communicate()

    def poll(self) -> int | None:
        """Return its exit code; None if it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code once it has ended."""
        if (code := self._look(timeout)) is None:
            raise subprocess.TimeoutExpired([], timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return what it writes until its end; it is killed if that does not come in time."""
        streams = [stream for stream in (self.stdout, self.stderr) if stream is not None]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            reading = {stream: pool.submit(stream.read) for stream in streams if not stream.closed}
            _, late = concurrent.futures.wait(reading.values(), timeout)
            if late or self._look(timeout) is None:
                self.kill()
                raise subprocess.TimeoutExpired([], timeout or 0)
        out, err = (
            reading[stream].result() if stream in reading else "" for stream in (self.stdout, self.stderr)
        )
        for stream in streams:
            stream.close()
        return out, err

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode


Process = Forked | subprocess.Popen[str]
"""What `start` returns."""


def start(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    trains: bool = False,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> Process:
    """Start a command with nothing to read: this Python, with arguments that begin with ``-c`` or ``-m``.

    The process is an ordinary one where none can be forked, and where `env` says what is read when Python starts.

    Args:
        command: Its words.
        env: Its environment.
        cwd: Its working directory; this one's if there is none.
        trains: Whether the packages that trainings need are imported too.
        stdout: As for `subprocess.Popen`, like `stderr`.
        stderr: Where its errors go.
    """
    executable, *arguments = command
    assert executable == sys.executable and arguments[0] in ("-c", "-m")
    if sys.platform != "linux" or _read_at_start(env) != _read_at_start(_ENVIRONMENT):
        null = subprocess.DEVNULL
        return subprocess.Popen(
            command, env=env, cwd=cwd, stdin=null, stdout=stdout, stderr=stderr, text=True
        )
    pipes: list[IO[str] | None] = []
    theirs = [os.open(os.devnull, os.O_RDONLY)]
    for stream in (stdout, stderr):
        match stream:
            case subprocess.PIPE:
                ours, other = os.pipe()
                pipes.append(os.fdopen(ours, encoding="utf-8"))
                theirs.append(other)
            case subprocess.DEVNULL:
                pipes.append(None)
                theirs.append(os.open(os.devnull, os.O_WRONLY))
            case _:
                pipes.append(None)
                theirs.append(os.dup(stream))
    ours, other = os.pipe()
    theirs.append(other)
    request = {"arguments": arguments, "env": dict(env), "cwd": str(cwd or Path.cwd())}
    message = json.dumps(request).encode()
    server = _server((*_IMPORTED, *_FOR_TRAINING) if trains else _IMPORTED)
    socket.send_fds(server, [len(message).to_bytes(4)], theirs)
    server.sendall(message)
    for descriptor in theirs:
        os.close(descriptor)
    return Forked(os.fdopen(ours, encoding="utf-8"), *pipes)


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    trains: bool = False,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as `start` starts it, and return what it wrote."""
    process = start(command, env=env, cwd=cwd, trains=trains)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode is not None
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _read_at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_AT_START) and name != "PYTHONPATH"}


@functools.cache
def _server(imported: tuple[str, ...]) -> socket.socket:
    """Return the connection to the process that has imported something and forks; it ends with this one."""
    ours, theirs = socket.socketpair()
    env = {name: value for name, value in _ENVIRONMENT.items() if name != "PYTHONPATH"}
    with theirs:
        subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno()), *imported],
            env=env, pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    return ours


def _serve(connection: socket.socket, imported: Sequence[str]) -> dict[str, Any]:
    """Fork for each request; return in the processes that are forked, with what they were asked for."""
    for module in imported:
        # What is not installed is missing in the processes too.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    # Ctrl-C is for the processes; this one ends when there are no more requests.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Collecting garbage would write to every page that the processes share.
    gc.collect()
    gc.freeze()
    while True:
        header, descriptors, _, _ = socket.recv_fds(connection, 4, 8)
        if not header:
            sys.exit()
        message = b""
        while len(message) < int.from_bytes(header):
            message += connection.recv(65536)
        if os.fork() == 0:
            connection.close()
            return _watched(json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _watched(request: dict[str, Any], descriptors: Sequence[int]) -> dict[str, Any]:
    """Fork once more, and report process and exit code of the child; return in the child alone."""
    *streams, status = descriptors
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if (pid := os.fork()) != 0:
        for descriptor in streams:
            os.close(descriptor)
        with os.fdopen(status, "w", buffering=1) as report:
            report.write(f"{pid}\n")
            _, ended = os.waitpid(pid, 0)
            report.write(f"{os.waitstatus_to_exitcode(ended)}\n")
        os._exit(0)
    for place, descriptor in enumerate(streams):
        os.dup2(descriptor, place)
    for descriptor in descriptors:
        os.close(descriptor)
    return request


def _become(request: dict[str, Any]) -> None:
    """Do what Python does with its arguments and its environment."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    option, what, *arguments = request["arguments"]
    paths = request["env"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = ["" if option == "-c" else request["cwd"], *filter(None, paths)]
    importlib.invalidate_caches()
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    sys.argv[:] = ["-c" if option == "-c" else what, *arguments]
    if option == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    _become(_serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:]))
