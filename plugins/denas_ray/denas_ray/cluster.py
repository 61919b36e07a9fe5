"""Starting a local cluster, joining a running one, and leaving it again."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import logging
import os
import secrets
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from denas_core.errors import ConfigError, one_line

SECONDS_TO_CONNECT = 20.0
"""The head of a cluster must answer within this time; that of a busy machine may need a few seconds."""

OBJECT_STORE_BYTES = 100 * 2**20
"""Memory of a local cluster for what is sent to several workers. It holds a few copies of a job."""

PREFIX = "denas-ray-"
"""How the name of the temporary folder of a local cluster begins."""

LONGEST_FOLDER = 40
"""The names of Ray's sockets have about 65 characters more than its folder, and 107 are allowed."""

_QUIET = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}

_HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
_HTTP2_SETTINGS = 4


class Cluster:
    """The connection of this process to a cluster.

    Attributes:
        is_local: Whether this process has started the cluster, and ends it.
    """

    def __init__(self, address: str | None, *, cpus: int) -> None:
        """Start a cluster with a number of CPUs on this machine, or join the one at `address`.

        A program that has called ``ray.init`` itself stays in its cluster.

        Raises:
            ConfigError: there is no such cluster, it has another version of Ray or Python, or Ray cannot start.
        """
        self.is_local = False
        self._folder: Path | None = None
        self._lock: TextIO | None = None
        self._is_ours = False
        with _environment(_QUIET):
            import ray
        if ray.is_initialized():
            current = ray.get_runtime_context().gcs_address
            if address not in (None, "auto", current) and _find(str(address)) != current:
                raise ConfigError(
                    f"this program is in the Ray cluster at {current}, and cannot join {address}"
                )
            return
        self._is_ours, self.is_local = True, address is None
        try:
            if address is None:
                self._start(cpus)
            else:
                _join(address)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Leave the cluster. One that this process has started ends, with all its processes."""
        import ray

        if not self._is_ours:
            return
        self._is_ours = False
        # It takes a second or two, and nothing else would end all processes and remove the files.
        with _without_signals():
            ray.shutdown()
            self._forget()

    def _forget(self) -> None:
        """Put back what belongs to this process, and remove the files of a local cluster."""
        import ray

        _print_errors(True)
        # The secret of a local cluster must not be asked of the workers of the next one.
        raylet: Any = ray._raylet
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()
        if self._folder is not None:
            _remove(self._folder)
        if self._lock is not None:
            self._lock.close()

    def _start(self, cpus: int) -> None:
        folder = _short_folder()
        _remove_leftovers(folder)
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
        self._lock = _locked(self._folder)
        # Ray listens on all interfaces and runs whatever it is sent. By itself it keeps a token in the home directory.
        token = {} if os.environ.get("RAY_AUTH_TOKEN") else {"RAY_AUTH_TOKEN": _token()}
        try:
            _init(
                token,
                address="local",
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _temp_dir=str(self._folder),
                _system_config={"enable_metrics_collection": False},
            )
        except (RuntimeError, ConnectionError, ValueError, OSError) as error:
            raise ConfigError(f"Ray cannot start on this machine: {one_line(error)}") from error


def _join(address: str) -> None:
    found = _find(address)
    _check_listens(found)
    try:
        _init({}, address=found)
    except (RuntimeError, ConnectionError, ValueError, OSError) as error:
        text = one_line(error, 400)
        if "ersion mismatch" in text:
            text = f"its versions differ: {text}; install those of the cluster here"
        raise ConfigError(f"cannot join the Ray cluster at {found}: {text}") from error


def _find(address: str) -> str:
    """Return an address as host and port."""
    from ray._private.services import canonicalize_bootstrap_address_or_die

    if address != "auto":
        host, colon, port = address.rpartition(":")
        if not (host and colon and port.isascii() and port.isdecimal() and int(port) < 2**16) or "/" in host:
            raise ConfigError(
                f"the address {address!r} of a Ray cluster must be 'auto' or host:port, such as 10.0.0.1:6379"
            )
    try:
        return str(canonicalize_bootstrap_address_or_die(address))
    except (ConnectionError, ValueError, OSError) as error:
        if address != "auto":
            raise ConfigError(
                f"the address {address!r} of a Ray cluster is unknown: {one_line(error)}"
            ) from error
        raise ConfigError(
            "no Ray cluster is found on this machine; start one with 'ray start --head', join one with 'ray start "
            "--address=host:port', or leave out the address to use the cores of this machine"
        ) from error


def _check_listens(address: str) -> None:
    """Check that a server of Ray's kind answers, because Ray itself waits for it very long.

    Raises:
        ConfigError: nothing listens, or something else.
    """
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_CONNECT) as link:
            if os.environ.get("RAY_USE_TLS", "0") not in ("", "0"):
                return
            link.settimeout(SECONDS_TO_CONNECT)
            link.sendall(_HTTP2_GREETING)
            answer = link.recv(9)
    except OSError as error:
        raise ConfigError(
            f"no Ray cluster answers at {address}: {one_line(error.strerror or error)}; is its head running, and is "
            "this the port that 'ray start --head' names?"
        ) from error
    if len(answer) < 4 or answer[3] != _HTTP2_SETTINGS:
        raise ConfigError(f"what answers at {address} is not a Ray cluster")


def _init(environment: Mapping[str, str], **options: Any) -> None:
    import ray

    # Ray would print what happens to workers on standard output, which belongs to the command.
    _print_errors(False)
    with _environment({**_QUIET, **environment}), _own_signals():
        ray.init(logging_level=logging.CRITICAL, log_to_driver=False, **options)


def _print_errors(enabled: bool) -> None:
    from ray._private import worker

    worker._worker_logs_enabled = enabled


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables, which the processes of a cluster inherit, and put back the old ones."""
    before = {name: os.environ.get(name) for name in (*values, "RAY_AUTH_MODE")}
    os.environ.update(
        {name: value for name, value in values.items() if name not in _QUIET or not before[name]}
    )
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _without_signals() -> Iterator[None]:
    """Ignore Ctrl-C and SIGTERM during the body."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the handler of SIGTERM, which Ray replaces by one of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGTERM, handler)


@functools.cache
def _token() -> str:
    """Return the secret of this process's clusters; Ray reads it once a process."""
    return secrets.token_hex(32)


def _short_folder() -> str:
    """Return the folder for temporary files; the usual one if its name leaves room for that of a socket."""
    usual = tempfile.gettempdir()
    return usual if len(usual) + len("/denas-ray-12345678") <= LONGEST_FOLDER else "/tmp"


def _locked(folder: Path) -> TextIO:
    """Return the open lock of a folder. The kernel drops the lock when this process ends, however it ends."""
    lock = (folder / "new-lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / "new-lock").rename(folder / "lock")
    return lock


def _remove(folder: Path) -> None:
    # Processes that are ending may still write a line into a log.
    for _ in range(10):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def _remove_leftovers(folder: str) -> None:
    """Remove the folders of local clusters whose searches were killed."""
    for old in Path(folder).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (old / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
