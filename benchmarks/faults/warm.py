"""Hundreds of ``denas`` commands in a minute: one process imports everything, and forks for each command.

A child is the command as a user would type it, but for the start of Python. It has its own standard streams, and can
be held until somebody has attached to it. On Linux neither process outlives the one that started it, however that ends.
"""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
TOY = ROOT / "tests" / "toy"

PR_SET_PDEATHSIG = 1
"""From ``linux/prctl.h``: the signal that a process gets when its parent ends."""


@dataclasses.dataclass(frozen=True)
class Done:
    """A command that has ended.

    Attributes:
        code: Exit code; negative for the signal that killed it.
        out: What it wrote on standard output.
        err: What it wrote on standard error.
    """

    code: int
    out: str
    err: str


class Warm:
    """The process that forks; a context."""

    def __init__(self, **variables: str) -> None:
        """Start it.

        Args:
            variables: Further variables of its environment.
        """
        self._scratch = tempfile.TemporaryDirectory()
        self._count = 0
        paths = [str(ROOT), str(TOY), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.faults.warm", str(os.getpid())],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._call({"ready": True})

    def __enter__(self) -> Warm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(timeout=300)
        self._server.stdout.close()
        self._scratch.cleanup()

    def start(self, *arguments: str, held: bool = False) -> Child:
        """Start a command; if it is `held`, it goes on when it gets a SIGCONT."""
        self._count += 1
        stem = str(Path(self._scratch.name) / str(self._count))
        pid = self._call({"arguments": arguments, "stem": stem, "held": held})
        return Child(self, pid, Path(stem))

    def run(self, *arguments: str) -> Done:
        """Run a command to its end."""
        return self.start(*arguments).wait()

    def _call(self, request: dict[str, Any]) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


class Child:
    """A command that runs.

    Attributes:
        pid: Its process.
    """

    def __init__(self, warm: Warm, pid: int, stem: Path) -> None:
        self.pid = pid
        self._warm = warm
        self._stem = stem

    def send(self, number: int) -> None:
        """Send a signal; it cannot reach anybody else, since the process stays until `wait`."""
        os.kill(self.pid, number)

    def is_over(self) -> bool:
        """Tell whether it has ended, and only waits to be asked."""
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "Z"

    def wait(self) -> Done:
        """Return how it ended."""
        code = self._warm._call({"wait": self.pid})
        out, err = (self._stem.with_suffix(end) for end in (".out", ".err"))
        texts = []
        for path in (out, err):
            # One that was killed as it was born has no streams yet.
            texts.append(path.read_text(errors="replace") if path.exists() else "")
            path.unlink(missing_ok=True)
        return Done(code, *texts)


def serve(parent: int) -> None:
    """Answer requests of the process `parent`, a line each, until there are no more."""
    _die_with(parent)
    sys.path[:0] = [str(TOY)]
    from denas_core.cli import main

    # A shell starts what goes on in the background with Ctrl-C ignored, and so it would stay for every child.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ignored in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_DFL)
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(null, stream)
    with tempfile.TemporaryDirectory() as directory:
        # Everything that a search imports, it imports here.
        run = f"{directory}/run"
        search = ["search", "toy/stairs", "--score", "toy/both", "--device", "cpu", "-b", "3", "-o", run]
        for arguments in (search, ["search", "--resume", run, "-b", "4"], ["trials", run], ["repair", run]):
            try:
                main(arguments)
            except SystemExit as end:
                assert end.code == 0, arguments
    for line in sys.stdin:
        request = json.loads(line)
        if "arguments" in request:
            replies.write(f"{_fork(request, main)}\n")
        elif "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            replies.write(f"{os.waitstatus_to_exitcode(status)}\n")
        else:
            replies.write("0\n")


def _fork(request: dict[str, Any], main: Any) -> int:
    server = os.getpid()
    pid = os.fork()
    if pid:
        if request["held"]:
            os.waitpid(pid, os.WUNTRACED)
        return pid
    code = 1
    try:
        _die_with(server)
        for stream, end in ((0, None), (1, ".out"), (2, ".err")):
            name = os.devnull if end is None else request["stem"] + end
            flags = os.O_RDONLY if end is None else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(name, flags), stream)
        # A command moves the standard output of its process, and those before have moved that of this one.
        sys.stdout, sys.stderr = (os.fdopen(stream, "w", buffering=1, closefd=False) for stream in (1, 2))
        if request["held"]:
            os.kill(os.getpid(), signal.SIGSTOP)
        main(request["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # It may have ended before it was asked for this.
        if os.getppid() != parent:
            os._exit(1)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
