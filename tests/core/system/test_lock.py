from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from denas_core.errors import RunBusy, StorageError
from denas_core.system import lock
from denas_core.system.lock import RunLock
from tests import warm
from tests.core.toy_searches import denas, denas_command, environment, toy_search


def test_a_second_user_is_told_who_the_first_is(tmp_path: Path) -> None:
    first = RunLock(tmp_path)
    with pytest.raises(RunBusy, match=f"in use by process {os.getpid()} on .* since 20.*; wait for it"):
        RunLock(tmp_path)
    first.release()
    RunLock(tmp_path).release()


def test_a_dead_owner_does_not_hold_the_directory(tmp_path: Path) -> None:
    script = (
        "import os; from pathlib import Path; from denas_core.system.lock import RunLock; "
        f"RunLock(Path({str(tmp_path)!r})); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", script], check=False, timeout=300)
    assert json.loads((tmp_path / "owner.json").read_text())["pid"] != os.getpid()
    RunLock(tmp_path).release()


def test_of_processes_on_one_run_one_wins_and_the_others_leave_with_4(tmp_path: Path) -> None:
    run = tmp_path / "a"
    toy_search(run, budget=10, score={"name": "toy/both", "pause": 0.0})
    command = denas_command("search", "--resume", str(run), "--budget", "200000", "-q")
    owner = warm.start(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while not (run / "owner.json").exists():
            assert owner.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        others = [warm.start(command, env=environment()) for _ in range(4)]
        for other in others:
            _, errors = other.communicate(timeout=300)
            assert other.returncode == 4
            assert f"in use by process {owner.pid}" in errors
        assert denas("trials", str(run), "--json").returncode == 0
    finally:
        owner.kill()
        owner.wait()


def test_a_dead_owner_is_not_named(tmp_path: Path) -> None:
    first = RunLock(tmp_path)
    (tmp_path / "owner.json").write_text(
        json.dumps({"pid": 4194304, "host": platform.node(), "since": "1970-01-01"})
    )
    with pytest.raises(RunBusy, match="in use by another process; wait for it"):
        RunLock(tmp_path)
    first.release()


def test_a_file_system_without_locks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def missing(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", missing)
    with pytest.raises(StorageError, match="has no locks; choose a run directory on another one"):
        RunLock(tmp_path)
    assert not recwarn.list


def test_who_only_asks_whether_a_run_is_held_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "SECONDS_TO_NAME_ITSELF", 300.0)
    # What is_held() does where the last owner was killed, for longer.
    asking = FileLock(tmp_path / "run.lock", thread_local=False)
    asking.acquire(timeout=0)
    (tmp_path / "owner.json").write_text(
        json.dumps({"pid": 4194304, "host": platform.node(), "since": "1970"})
    )
    threading.Timer(0.2, asking.release, kwargs={"force": True}).start()
    RunLock(tmp_path).release()
