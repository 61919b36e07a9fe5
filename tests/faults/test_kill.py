"""Searches are killed with SIGKILL at random moments and must end as if nothing had happened."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from denas_core.runs.files import read_run
from denas_core.study.run_directory import RunDirectory
from tests import warm
from tests.core.gate import Gate
from tests.core.toy_searches import denas, denas_command, environment, table

SEARCH = ["search", "toy/stairs", "--score", "toy/both", "--device", "cpu", "--set", "score.failing=9"]


def kill_after(command: list[str], seconds: float, *, run: Path, wait_for: int) -> bool:
    """Start a search, wait until it commits a further trial, then a moment, then kill it; tell whether it was alive."""
    process = warm.start(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while process.poll() is None and committed(run) <= wait_for and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(seconds)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return alive


def committed(run: Path) -> int:
    try:
        store = read_run(run)
    except Exception:  # not there yet, or being created
        return 0
    try:
        return len(store.trials())
    finally:
        store.close()


@pytest.mark.slow
@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.nightly)])
def test_kills_change_nothing(tmp_path: Path, kills: int) -> None:
    # The search waits after 20 more trials: it is not over when the last kill comes, however late that is.
    trials = 30 * kills
    run = tmp_path / "killed"
    gate = Gate(tmp_path / "gate", run / "study.db", trials=20)
    budget = ["--budget", str(trials), "--set", "score.pause=0.01", *gate.setting]
    whole = denas(*SEARCH, "--budget", str(trials), "--set", "score.pause=0.0", "-o", str(tmp_path / "whole"))
    assert whole.returncode == 0, whole.stderr
    rng = random.Random(0)
    effective = 0
    for _ in range(3 * kills):
        begun = (run / "study.db").exists()
        gate.move(committed(run) + 20)
        arguments = ["search", "--resume", str(run)] if begun else [*SEARCH, *budget, "-o", str(run)]
        effective += kill_after(
            denas_command(*arguments), rng.uniform(0, 0.1), run=run, wait_for=committed(run)
        )
        if effective == kills:
            break
    assert effective == kills
    assert committed(run) < trials
    gate.open()
    end = denas("search", "--resume", str(run))
    assert end.returncode == 0, end.stderr
    assert table(run) == table(tmp_path / "whole")
    assert (run / "best.json").read_text() == (tmp_path / "whole" / "best.json").read_text()
    assert not list(run.glob(".*.tmp"))


@pytest.mark.slow
def test_a_killed_search_of_real_networks_ends_the_same(tmp_path: Path) -> None:
    pytest.importorskip("denas_cv")
    pytest.importorskip("denas_scores")
    search = [
        "search",
        "cv/cnn",
        "-c",
        "params<=200k",
        "--set",
        "score.batch_size=2",
        "--device",
        "cpu",
        "-b",
        "12",
    ]
    whole = warm.run(denas_command(*search, "-o", str(tmp_path / "whole")), env=environment())
    assert whole.returncode == 0, whole.stderr
    run = tmp_path / "killed"
    gate = Gate(tmp_path / "gate", run / "study.db", trials=5)
    one_by_one = ("--executor", "toy/shuffled", "--set", "executor.workers=1")
    waiting = (*one_by_one, "--set", f"executor.gate={gate.path}")
    assert kill_after(denas_command(*search, *waiting, "-o", str(run)), 0, run=run, wait_for=2)
    gate.move(committed(run) + 3)
    assert kill_after(denas_command("search", "--resume", str(run)), 0, run=run, wait_for=committed(run))
    gate.open()
    end = warm.run(denas_command("search", "--resume", str(run)), env=environment())
    assert end.returncode == 0, end.stderr
    assert table(run) == table(tmp_path / "whole")


@contextlib.contextmanager
def searching(*arguments: str, **extra: str) -> Iterator[warm.Process]:
    """Run a search beside the test, which it does not outlive."""
    command = denas_command(*SEARCH, *arguments)
    with warm.start(command, env=environment(**extra), stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: Callable[[], bool], process: warm.Process) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


def test_ctrl_c_ends_soon_with_130_and_says_how_to_go_on(tmp_path: Path) -> None:
    run = tmp_path / "a"
    with searching("--budget", "100000", "--set", "score.pause=0.01", "-o", str(run)) as process:
        wait_until(lambda: committed(run) >= 3, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert f"go on with: denas search --resume {run}" in errors
    assert "Traceback" not in errors
    assert 3 <= committed(run) < 100000


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    run, begun = tmp_path / "a", tmp_path / "begun"
    slow = ("--budget", "100", "--set", "score.pause=300.0", "-o", str(run))
    with searching(*slow, DENAS_TOY_BEGUN=str(begun)) as process:
        wait_until(begun.exists, process)
        signals = 0
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            signals += 1
            # Two signals that come before the first is handled are one: a busy machine may need a third.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2)
        assert process.returncode == 130
        # The candidate lasts longer than all of them.
        assert 2 <= signals < 100
    assert committed(run) == 0
    RunDirectory.open(run).close()
