from __future__ import annotations

import time
from pathlib import Path

import pytest

from denas_core.timing import stopwatch as module
from denas_core.timing.stopwatch import Round, Stopwatch

COUNTS = Path("/proc/thread-self/schedstat").exists()


def test_a_round_is_interrupted_if_its_thread_waited_for_more_than_a_hundredth_of_it() -> None:
    assert not Round(10.0).is_interrupted
    assert not Round(10.0, waited_ms=0.05).is_interrupted
    assert Round(10.0, waited_ms=0.2).is_interrupted
    assert Round(10.0, waited_ms=4.0).own_ms == 6.0


@pytest.mark.parametrize("threads", [1, 2])
def test_the_counters_of_the_system_say_how_long_the_threads_waited(
    threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each thread has a file: nanoseconds on a core, nanoseconds without one, number of time slices.
    for task in ("11", "12"):
        (tmp_path / task).mkdir()
        (tmp_path / task / "schedstat").write_text("5000000 1000000 3\n")
    monkeypatch.setattr(module, "_THREAD", tmp_path / "11")
    monkeypatch.setattr(module, "_TASKS", tmp_path)

    def call() -> None:
        for task in ("11", "12"):
            (tmp_path / task / "schedstat").write_text("9000000 3500000 4\n")

    with Stopwatch(threads) as watch:
        # The two threads wait at the same time.
        found = watch.time(call)
        assert found.waited_ms == 2.5
        # The call took less than that: the wait lay between two readings, and what is left is the time on a core.
        assert 0 < found.own_ms < 2.5
        assert watch.time(call).waited_ms == 0.0


def test_without_counters_what_a_call_takes_longer_than_its_thread_runs_is_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_THREAD", tmp_path / "none")
    now = {"wall": 0, "own": 0}
    monkeypatch.setattr(time, "perf_counter_ns", lambda: now["wall"])
    monkeypatch.setattr(time, "thread_time_ns", lambda: now["own"])
    # The call always waits 3 ms for a device, and once for 5 ms more.
    gaps = iter([3, 8, 3])

    def call() -> None:
        now["own"] += 10_000_000
        now["wall"] += 10_000_000 + next(gaps) * 1_000_000

    with Stopwatch() as watch:
        rounds = [watch.time(call) for _ in range(3)]
    assert [round_.waited_ms for round_ in rounds] == [0.0, 5.0, 0.0]
    assert [round_.ms for round_ in rounds] == [13.0, 18.0, 13.0]


@pytest.mark.skipif(not COUNTS, reason="this system does not count how long a thread waits")
def test_a_call_that_sleeps_has_not_waited_for_a_core() -> None:
    with Stopwatch() as watch:
        rounds = [watch.time(lambda: time.sleep(0.02)) for _ in range(5)]
    # On a busy machine the thread may wait for a core before and after it sleeps, but hardly for so long each time.
    assert max(round_.own_ms for round_ in rounds) >= 19.9


def test_a_stopwatch_closes_the_files_that_it_reads() -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir())) if COUNTS else 0

    before = open_files()
    for _ in range(3):
        with Stopwatch(2) as watch:
            watch.time(lambda: None)
    assert open_files() == before
