"""Worker processes under the supervisor: whatever a candidate does to its process, each gives one result."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from denas_core.errors import ConfigError, PluginError
from denas_core.values.trial import Evaluation
from denas_core.workers.processes import ProcessTransport
from denas_core.workers.supervisor import Supervisor

from . import evaluations
from .directory_workers import wait_until
from .evaluations import BAD, work
from .standing_clock import StandingClock

Make = Callable[..., Supervisor]

DEADLINE = 300.0


@pytest.fixture
def supervise() -> Iterator[Make]:
    made = []
    before = set(psutil.Process().children(recursive=True))

    def make(count: int = 2, *, deadline: float = DEADLINE, **options: Any) -> Supervisor:
        made.append(Supervisor(ProcessTransport(count, **options), deadline=deadline))
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.close()
    assert not set(psutil.Process().children(recursive=True)) - before


def results(supervisor: Supervisor, function: Any, count: int = 6) -> dict[int, Evaluation]:
    found = list(supervisor.run(function, work(count)))
    assert sorted(index for index, _ in found) == list(range(count))
    return dict(found)


def results_after_the_deadline_of_one(
    supervisor: Supervisor, function: Any, monkeypatch: pytest.MonkeyPatch
) -> dict[int, Evaluation]:
    """Return all results. The deadline of `BAD` passes when the others are there, which so cannot be late."""
    clock, found = StandingClock(monkeypatch), {}
    for index, result in supervisor.run(function, work(6)):
        assert index not in found
        found[index] = result
        if len(found) == 5:
            clock.now += DEADLINE
    assert sorted(found) == list(range(6))
    assert supervisor.losses == [f"the worker of candidate {BAD} was replaced: {found[BAD].reason}"]
    return found


def check_others(found: dict[int, Evaluation]) -> None:
    others = {index: result.components for index, result in found.items() if index != BAD}
    assert others == {index: {"square": float(index * index)} for index in others}


def test_every_candidate_gives_its_result_and_all_processes_work(supervise: Make) -> None:
    used = set()
    for index, result in supervise().run(evaluations.slow, work(100_000)):
        assert result.components == {"square": float(index * index)}
        used.add(result.metrics["process"])
        if len(used) == 2:
            break


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (evaluations.exits, "its worker ended: exit status 0 (2 workers)"),
        (evaluations.crashes, "its worker ended: killed by SIGSEGV (2 workers)"),
        (evaluations.babbles, "(2 workers)"),
    ],
)
def test_a_candidate_that_ends_its_process_twice_fails(supervise: Make, function: Any, reason: str) -> None:
    supervisor = supervise()
    found = results(supervisor, function)
    check_others(found)
    assert found[BAD].state == "failed"
    assert found[BAD].reason.endswith(reason)
    assert len(supervisor.losses) == 2


def test_a_candidate_whose_worker_was_killed_is_evaluated_again(
    supervise: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENAS_TEST_MARK", str(tmp_path / "mark"))
    supervisor = supervise()
    found = results(supervisor, evaluations.crashes_once)
    check_others(found)
    assert found[BAD].components == {"square": float(BAD * BAD)}
    assert supervisor.losses == [
        f"the worker of candidate {BAD} was replaced: its worker ended: killed by SIGKILL"
    ]


def test_a_candidate_that_hangs_with_the_interpreters_lock_is_replaced(
    supervise: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = results_after_the_deadline_of_one(supervise(), evaluations.hangs, monkeypatch)
    check_others(found)
    assert found[BAD].reason == "timed out: no result after 5 min 0 s"


def test_a_deadline_passes_by_the_clock_of_the_machine(supervise: Make) -> None:
    alone = list(work(BAD + 1))[BAD:]
    ((index, result),) = supervise(1, deadline=0.5).run(evaluations.hangs, alone)
    assert (index, result.reason) == (BAD, "timed out: no result after 500 ms")


def test_children_of_a_replaced_worker_end_too(
    supervise: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "child"
    monkeypatch.setenv("DENAS_TEST_CHILD", str(begun))
    clock = StandingClock(monkeypatch)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        searching = pool.submit(results, supervise(), evaluations.leaves_a_child)
        child = int(wait_until(lambda: begun.exists() and begun.read_text()))
        clock.now += DEADLINE
        assert searching.result(300)[BAD].state == "failed"
    wait_until(lambda: not _is_alive(child))


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_candidate_that_takes_too_much_memory_fails_at_once(supervise: Make) -> None:
    supervisor = supervise(memory=300_000_000)
    found = results(supervisor, evaluations.grows)
    check_others(found)
    assert found[BAD].reason == "out of memory: it holds more than the 300MB of a worker"
    assert len(supervisor.losses) == 1


def test_a_process_is_replaced_when_it_has_become_large(supervise: Make) -> None:
    found = results(supervise(1, memory=400_000_000), evaluations.leaks, 60)
    assert {result.state for result in found.values()} == {"scored"}
    assert len({result.metrics["process"] for result in found.values()}) > 1


def test_a_process_is_replaced_after_a_number_of_candidates(supervise: Make) -> None:
    supervisor = supervise(1, candidates=4)
    found = results(supervisor, evaluations.square, 12)
    assert len({result.metrics["process"] for result in found.values()}) == 3
    assert supervisor.losses == []


def test_what_candidates_print_goes_to_standard_error(
    supervise: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    results(supervise(1), evaluations.prints, 1)
    out, err = capfd.readouterr()
    assert out == ""
    assert sorted(err.split("\n")) == ["", "by a child", "printed", "written"]


@pytest.mark.parametrize(
    ("function", "error"),
    [(evaluations.returns_something_else, TypeError), (evaluations.exits_by_exception, SystemExit)],
)
def test_what_the_function_raises_comes_through(supervise: Make, function: Any, error: Any) -> None:
    with pytest.raises(error):
        list(supervise().run(function, work(6)))


def test_a_function_of_a_main_program_is_sent_whole(supervise: Make) -> None:
    offset = 7.0

    def local(arch: Any) -> Evaluation:
        return Evaluation(state="scored", components={"sum": arch["x"] + offset})

    found = results(supervise(), local)
    assert {index: result.components["sum"] for index, result in found.items()} == {
        i: i + 7.0 for i in range(6)
    }


def test_a_function_that_cannot_be_sent_is_refused(supervise: Make) -> None:
    lock = threading.Lock()
    with pytest.raises(ConfigError, match=r"cannot be sent to worker processes: .*builtin/serial"):
        list(supervise().run(lambda arch: lock, work(6)))


def test_processes_that_end_before_they_take_work_are_not_started_for_ever(supervise: Make) -> None:
    with pytest.raises(PluginError, match=r"5 workers ended before they took any work: .* exit status 3"):
        list(supervise().run(evaluations.Unloadable(), work(6)))


def test_results_of_an_abandoned_run_are_not_taken_for_those_of_the_next(supervise: Make) -> None:
    supervisor = supervise()
    first = supervisor.run(evaluations.slow, work(12))
    next(first)
    first.close()
    found = results(supervisor, evaluations.square)
    assert {index: result.components["square"] for index, result in found.items()} == {
        index: float(index * index) for index in range(6)
    }


def test_killed_idle_processes_are_replaced(supervise: Make) -> None:
    supervisor = supervise()
    found = results(supervisor, evaluations.slow)
    for process in {int(result.metrics["process"]) for result in found.values()}:
        os.kill(process, signal.SIGKILL)
    check_others(results(supervisor, evaluations.square))


def test_stop_gives_running_candidates_a_moment(supervise: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    StandingClock(monkeypatch)
    supervisor = supervise(1)
    found = []
    for index, _ in supervisor.run(evaluations.slow, _until(supervisor, stop_at=2)):
        found.append(index)
    assert found == [0, 1, 2]


def _until(supervisor: Supervisor, *, stop_at: int) -> Iterator[Any]:
    for index, arch in work(6):
        yield index, arch
        if index == stop_at:
            supervisor.stop()
            return


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not list open files")
def test_closed_workers_leave_no_file_open() -> None:
    def open_files() -> int:
        supervisor = Supervisor(ProcessTransport(1))
        results(supervisor, evaluations.square)
        supervisor.close()
        return len(list(Path("/proc/self/fd").iterdir()))

    # The first use may open files that stay, such as those of a library.
    assert open_files() == open_files()
