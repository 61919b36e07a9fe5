"""The experiments of ``benchmarks/reliability.py`` in small: nothing is lost, nothing wrong is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import reliability
from benchmarks.faults.toy import Counts
from benchmarks.faults.warm import ROOT

HERE = (
    "kill",
    "kill-calls",
    "enospc",
    "eio",
    "repair-kill-calls",
    "repair-enospc",
    "torn",
    "flips",
    "repair",
    "crowd",
    "beginners",
    "readers",
    "interrupt",
    "workers",
    "hung",
    "interrupt-workers",
)
"""Those that are short enough."""


@pytest.mark.parametrize("name", HERE)
def test_a_fault_loses_nothing(name: str) -> None:
    counts = reliability.measure(name, long=False)
    if "left out" in counts:
        pytest.skip(counts["left out"])
    assert counts["failures"] == []
    done = ("kills", "points", "stores", "runs", "rounds", "reads", "signals", "hung")
    assert any(counts.get(number) for number in done), counts


ENDLESS = """
import sys
from benchmarks.faults.toy import search
from benchmarks.faults.warm import Warm

warm = Warm()
child = warm.start(*search(sys.argv[1], 1_000_000))
print(warm._server.pid, child.pid, flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended")
def test_a_killed_experiment_leaves_no_process_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as experiment:
        assert experiment.stdout is not None
        pids = [int(pid) for pid in experiment.stdout.readline().split()]
        assert len(pids) == 2 and all(map(is_running, pids))
        experiment.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 300
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    left = [pid for pid in pids if is_running(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def is_running(pid: int) -> bool:
    try:
        # One that nobody has waited for yet is over all the same.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_an_experiment_that_breaks_off_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def experiment(long: bool) -> Counts:
        raise ValueError("no answer")

    monkeypatch.setattr(reliability, "EXPERIMENTS", {"kill": ("killed", experiment)})
    assert reliability.measure("kill", long=False)["failures"] == ["broken off: ValueError: no answer"]


def test_the_table_is_written_between_the_marks(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def experiment(long: bool) -> Counts:
        return {"kills": 3 if long else 1, "failures": ["one"]}

    monkeypatch.setattr(reliability, "EXPERIMENTS", {"kill": ("killed", experiment)})
    document = tmp_path / "a.md"
    document.write_text(f"before\n{reliability.MARKS[0]}\nold\n{reliability.MARKS[1]}\nafter\n")
    table = reliability.as_markdown({"kill": reliability.measure("kill", long=True)}, long=True)
    reliability.write(document, table)
    text = document.read_text()
    assert "| killed | kills: 3 | 1 | 0 |" in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
