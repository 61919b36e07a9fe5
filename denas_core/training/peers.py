"""The meeting of the processes of one training: a wait that is announced, can be stopped, and ends."""

from __future__ import annotations

import contextlib
import datetime
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from denas_core.errors import NoResult
from denas_core.text import describe_error, one_line

from .processes import Processes, read_processes

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

SECONDS_BEFORE_NOTICE = 3.0
SECONDS_BETWEEN_NOTICES = 60.0
SECONDS_BETWEEN_LOOKS = 0.1

SECONDS_OF_AN_ANSWER = 5
"""How long a look at the meeting place may take."""

SECONDS_TO_STOP = 2.0
"""How long a process that got a signal may take until Python runs its handler."""

Notify = Callable[[str], None]


def join(device: str, *, timeout: float, notify: Notify | None = None) -> None:
    """Connect the processes of a training; do nothing for a single process, or for connected ones.

    They stay connected until they end: `torch.distributed.destroy_process_group` is not called. After it, the network
    that was trained owns the connection. As Python frees the network, torch waits for the threads of gloo while it
    holds Python's lock, and waits for ever for a thread that needs this lock to free the tensors of its last exchange.
    For the same reason, a command ends connected processes without Python's own clean-up.

    Args:
        device: ``cpu`` or ``cuda``, on which the processes exchange tensors.
        timeout: Seconds that a process waits for the others, here and later, before it gives up.
        notify: Called with a line for the user while this process waits; by default it goes to standard error.

    Raises:
        NoResult: the others did not come in time, or were lost.
    """
    processes = read_processes()
    if processes.world == 1:
        return
    import torch.distributed
    from torch._C._distributed_c10d import PrefixStore

    if torch.distributed.is_initialized():
        return
    torch.distributed.init_process_group(
        "gloo" if device == "cpu" else "nccl",
        store=PrefixStore("denas", _meet(processes, timeout, notify or _write)),
        rank=processes.rank,
        world_size=processes.world,
        timeout=datetime.timedelta(seconds=timeout),
    )


def _meet(processes: Processes, timeout: float, notify: Notify) -> Store:
    """Return the store of the meeting place once all processes have come."""
    wait = _Wait(processes, timeout, notify)
    store = _connect(processes, wait)
    keys = [f"denas-{rank}" for rank in range(processes.world)]
    try:
        store.set(keys[processes.rank], "here")
        while missing := [rank for rank, key in enumerate(keys) if not store.check([key])]:
            wait.go_on(missing)
    except RuntimeError as error:
        raise NoResult(
            f"process {processes.rank} lost the place where the processes meet: {describe_error(error)}"
        ) from error
    return store


def _connect(processes: Processes, wait: _Wait) -> Store:
    from torch._C._distributed_c10d import TCPStore
    from torch.distributed import DistError

    assert processes.address is not None
    host, port = processes.address
    # torchrun keeps the meeting place itself, and says so in this variable.
    is_host = processes.rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    while True:
        try:
            if not is_host:
                # A look first: torch's own attempts cannot be interrupted, and write warnings.
                socket.create_connection((host, port), timeout=SECONDS_OF_AN_ANSWER).close()
            return TCPStore(
                host,
                port,
                is_master=is_host,
                wait_for_workers=False,
                multi_tenant=True,
                timeout=datetime.timedelta(seconds=SECONDS_OF_AN_ANSWER),
            )
        except (OSError, DistError) as error:
            if is_host:
                raise NoResult(
                    f"process 0 cannot open MASTER_PORT={port} on MASTER_ADDR={host} for the others: "
                    f"{describe_error(error, 120)}; choose another port"
                ) from error
            wait.go_on([0], reason=str(error))


class _Wait:
    """A wait for other processes, with a notice now and then and an end."""

    def __init__(self, processes: Processes, timeout: float, notify: Notify) -> None:
        self._processes, self._timeout, self._notify = processes, timeout, notify
        self._began = time.monotonic()
        self._next_notice = self._began + SECONDS_BEFORE_NOTICE

    def go_on(self, missing: list[int], *, reason: str = "") -> None:
        """Wait for a moment.

        Raises:
            NoResult: this took too long.
        """
        assert self._processes.address is not None
        host, port = self._processes.address
        others = f"{'process' if len(missing) == 1 else 'processes'} {', '.join(map(str, missing))}"
        now = time.monotonic()
        if now >= self._next_notice:
            self._next_notice = now + SECONDS_BETWEEN_NOTICES
            self._notify(
                f"process {self._processes.rank} of {self._processes.world} waits for {others} at {host}:{port}; it "
                f"gives up after {self._timeout:g} s (training.peer_timeout)"
            )
        if now - self._began >= self._timeout:
            raise NoResult(
                f"process {self._processes.rank} of {self._processes.world} gives up after {self._timeout:g} s without "
                f"{others} at {host}:{port}{f' ({reason})' if reason else ''}; start all processes with the same "
                "MASTER_ADDR and MASTER_PORT, or raise training.peer_timeout"
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)


def loss_of_peers(error: BaseException) -> str:
    """Return what an error says about other processes that are gone or do not answer; empty for any other error."""
    import torch

    if read_processes().world == 1:
        return ""
    # Gloo and NCCL raise a plain RuntimeError; its text names the source file or the library.
    is_named = isinstance(error, RuntimeError) and any(
        name in str(error).lower() for name in ("gloo", "nccl")
    )
    if not is_named and not isinstance(error, torch.distributed.DistError):
        return ""
    # The text begins with the path of a source file in brackets, and ends with advice.
    return one_line(str(error).split("] ", 1)[-1].split(". ", 1)[0], 120)


@contextlib.contextmanager
def ended_by_first_signal() -> Iterator[None]:
    """End this process by its first signal, even where it waits in native code, in which Python runs no handler.

    Elsewhere the handlers of the command raise `KeyboardInterrupt`. A single process waits for nobody, and is left
    alone.
    """
    if read_processes().world == 1 or threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    thread = threading.Thread(target=_end_after_signal, args=(reading,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writing)
        thread.join()
        os.close(reading)


def _end_after_signal(reading: int) -> None:
    while number := os.read(reading, 1):
        if number[0] in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if select.select([reading], [], [], SECONDS_TO_STOP)[0] and not os.read(reading, 1):
                return
            os.write(2, b"error: stopped while it waited for the other processes\n")
            os._exit(128 + number[0])


def _write(text: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
