from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from denas_core.errors import RunBusy
from denas_core.lock import RunLock

from .runs import denas, denas_command, environment, toy_search


def test_a_second_user_is_told_who_the_first_is(tmp_path: Path) -> None:
    first = RunLock(tmp_path)
    with pytest.raises(RunBusy, match=f"in use by process {os.getpid()} on .* since 20.*; wait for it"):
        RunLock(tmp_path)
    first.release()
    RunLock(tmp_path).release()


def test_a_dead_owner_does_not_hold_the_directory(tmp_path: Path) -> None:
    script = (
        "import os; from pathlib import Path; from denas_core.lock import RunLock; "
        f"RunLock(Path({str(tmp_path)!r})); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", script], check=False, timeout=30)
    assert json.loads((tmp_path / "owner.json").read_text())["pid"] != os.getpid()
    RunLock(tmp_path).release()


def test_of_processes_on_one_run_one_wins_and_the_others_leave_with_4(tmp_path: Path) -> None:
    run = tmp_path / "a"
    toy_search(run, budget=10, score={"name": "toy/both", "pause": 0.0})
    command = denas_command("search", "--resume", str(run), "--budget", "200000", "-q")
    owner = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        while not (run / "owner.json").exists():
            time.sleep(0.01)
        others = [
            subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) for _ in range(4)
        ]
        for other in others:
            _, errors = other.communicate(timeout=20)
            assert other.returncode == 4
            assert f"in use by process {owner.pid}" in errors
        assert denas("trials", str(run), "--json").returncode == 0
    finally:
        owner.kill()
        owner.wait()
