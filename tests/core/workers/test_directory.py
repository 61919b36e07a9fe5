"""Workers that share a directory come, go and are killed, and each candidate gives one result."""

from __future__ import annotations

import concurrent.futures
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from denas_core.errors import ConfigError, DenasError, NoResult, PluginError, StorageError
from denas_core.values.trial import Evaluation
from denas_core.workers.directory import DirectoryTransport, check_directory
from denas_core.workers.mailbox import SIGN, post, renew_sign
from denas_core.workers.supervisor import Supervisor
from denas_core.workers.versions import version_difference, versions

from . import evaluations
from .directory_workers import Worker, end, start_worker, wait_until, working
from .evaluations import BAD, Waits, work
from .standing_clock import StandingClock

Make = Callable[..., Supervisor]
Results = concurrent.futures.Future[dict[int, Evaluation]]

LIMIT = 300.0
"""Seconds after which a candidate is late and a silent worker is lost; `StandingClock` and `miss` skip them."""


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir(mode=0o700)
    return tmp_path / "shared"


@pytest.fixture
def supervise(shared: Path) -> Iterator[Make]:
    made = []
    before = set(psutil.Process().children(recursive=True))

    def make(**options: Any) -> Supervisor:
        check_directory(shared)
        facts = {"versions": versions(), "demand": {"threads": 1, "device": "cpu", "memory": None}}
        transport = DirectoryTransport(shared, facts, **{"silence": LIMIT, **options})
        made.append(Supervisor(transport, deadline=LIMIT))
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.close()
    assert not set(psutil.Process().children(recursive=True)) - before


@pytest.fixture
def run() -> Iterator[Callable[..., Results]]:
    """Run a search beside the test."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yield lambda *arguments: pool.submit(results, *arguments)


def results(supervisor: Supervisor, function: Any, count: int = 6) -> dict[int, Evaluation]:
    found = list(supervisor.run(function, work(count)))
    assert sorted(index for index, _ in found) == list(range(count))
    return dict(found)


def check_squares(found: dict[int, Evaluation]) -> None:
    for index, result in found.items():
        assert result.components == {"square": float(index * index)}, result


def miss(supervisor: Supervisor, worker: Worker) -> None:
    """Let a search miss a worker that gives no signs of life any more, as if the time for it had passed."""
    workers = supervisor._transport._workers  # type: ignore[attr-defined]

    def is_lost() -> bool:
        for name, known in workers.copy().items():
            if f"-{worker.pid}-" in name:
                # What it wrote before it fell silent is seen first.
                known.pulse.look()
                known.pulse._changed_at -= LIMIT
                return False
        return True

    wait_until(is_lost)


def results_after_a_late_one(
    supervisor: Supervisor, function: Any, monkeypatch: pytest.MonkeyPatch
) -> dict[int, Evaluation]:
    """Return all results. The deadline of `BAD` passes when the others are there, which so cannot be late."""
    clock, found = StandingClock(monkeypatch), {}
    for index, result in supervisor.run(function, work(6)):
        found[index] = result
        if len(found) == 3:
            clock.now += LIMIT
    assert sorted(found) == list(range(6))
    return found


def begun(folder: Path) -> list[int]:
    """Return the processes that have begun to evaluate `BAD`, the first one first."""
    marks = sorted(folder.glob("begun-*"), key=lambda mark: mark.stat().st_mtime_ns)
    return [int(mark.name.partition("-")[2]) for mark in marks]


def test_workers_join_before_and_during_a_search_and_end_with_it(supervise: Make, shared: Path) -> None:
    supervisor = supervise()
    with working(shared, count=2) as workers:
        used = set()
        for index, result in supervisor.run(evaluations.slow, work(10_000)):
            check_squares({index: result})
            used.add(result.metrics["process"])
            if len(used) == 2 == len(workers):
                workers.append(start_worker(shared))
            if len(used) == 3:
                break
        assert all(worker.poll() is None for worker in workers)
        supervisor.close()
        assert [worker.wait(300) for worker in workers] == [0, 0, 0]
    assert supervisor.losses == []
    assert [path.name for path in shared.iterdir()] == ["denas.queue"]


def test_a_candidate_of_a_killed_worker_is_evaluated_once_more(
    supervise: Make, shared: Path, tmp_path: Path, run: Callable[..., Results]
) -> None:
    supervisor = supervise()
    with working(shared, count=2) as workers:
        searching = run(supervisor, Waits(str(tmp_path)))
        first = wait_until(lambda: begun(tmp_path))[0]
        (killed,) = [worker for worker in workers if worker.pid == psutil.Process(first).ppid()]
        killed.kill()
        killed.wait()
        miss(supervisor, killed)
        second = wait_until(lambda: begun(tmp_path)[1:])[0]
        # The kernel ends the process of a killed worker.
        wait_until(lambda: not psutil.pid_exists(first))
        (tmp_path / "go").touch()
        found = searching.result(300)
    check_squares(found)
    assert found[BAD].metrics["process"] == second
    (loss,) = supervisor.losses
    assert loss.startswith(f"the worker of candidate {BAD} was replaced: worker ")
    assert loss.endswith("gave no sign of life for 5 min 0 s")


def test_a_worker_that_is_ended_gives_its_work_back_and_that_is_no_attempt(
    supervise: Make, shared: Path, tmp_path: Path, run: Callable[..., Results]
) -> None:
    supervisor = supervise()
    with working(shared) as workers:
        searching = run(supervisor, Waits(str(tmp_path)))
        for number, by in enumerate((signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL)):
            wait_until(lambda number=number: begun(tmp_path)[number:])
            workers.append(start_worker(shared))
            workers[number].send_signal(by)
            assert workers[number].wait(300) == (-by if by == signal.SIGKILL else 128 + by)
            if by == signal.SIGKILL:
                miss(supervisor, workers[number])
        wait_until(lambda: begun(tmp_path)[4:])
        (tmp_path / "go").touch()
        check_squares(searching.result(300))
    # The killed worker alone counts, and it is the first attempt of two.
    assert len(supervisor.losses) == 1


def test_a_worker_goes_on_after_a_candidate_that_hangs_and_one_that_crashes(
    supervise: Make, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = supervise()
    with working(shared):
        hung = results_after_a_late_one(supervisor, evaluations.hangs, monkeypatch)
        monkeypatch.undo()
        crashed = results(supervisor, evaluations.crashes)
    for found, reason in (
        (hung, "timed out: no result after 5 min 0 s"),
        (crashed, "its worker ended: killed by SIGSEGV (on "),
    ):
        assert found[BAD].state == "failed"
        assert found[BAD].reason.startswith(reason)
        check_squares({index: result for index, result in found.items() if index != BAD})


def test_a_worker_that_was_taken_for_lost_comes_back_and_its_late_answer_is_dropped(
    supervise: Make, shared: Path, tmp_path: Path, run: Callable[..., Results]
) -> None:
    supervisor = supervise()
    with working(shared, count=2) as workers:
        searching = run(supervisor, Waits(str(tmp_path)))
        first = wait_until(lambda: begun(tmp_path))[0]
        (paused,) = [worker for worker in workers if worker.pid == psutil.Process(first).ppid()]
        paused.send_signal(signal.SIGSTOP)
        wait_until(lambda: psutil.Process(paused.pid).status() == psutil.STATUS_STOPPED)
        miss(supervisor, paused)
        wait_until(lambda: begun(tmp_path)[1:])
        (tmp_path / "go").touch()
        check_squares(searching.result(300))
        (other,) = [worker for worker in workers if worker is not paused]
        other.send_signal(signal.SIGTERM)
        other.wait(300)
        paused.send_signal(signal.SIGCONT)
        found = results(supervisor, evaluations.square)
        check_squares(found)
        supervisor.close()
        assert paused.wait(300) == 0
        assert len(supervisor.losses) == 1
        printed = end(paused).splitlines()
    assert len({line.split()[1] for line in printed if line.startswith("worker ")}) >= 2
    assert printed[-1].endswith("has ended")


def test_what_a_killed_search_left_behind_does_no_harm(supervise: Make, shared: Path) -> None:
    old = shared / "search-20200101-000000-00000000"
    (old / "old-worker").mkdir(parents=True)
    renew_sign(old, {"versions": versions(), "job": "0"})
    post(old, "old-worker", {"worker": "old-worker", "kind": "left", "reason": ""})
    ancient = shared / "search-20190101-000000-00000000"
    ancient.mkdir()
    renew_sign(ancient, {})
    os.utime(ancient / SIGN, (1, 1))
    with working(shared):
        supervisor = supervise()
        check_squares(results(supervisor, evaluations.square))
        supervisor.close()
    assert sorted(path.name for path in shared.iterdir()) == ["denas.queue", old.name]


def test_a_worker_of_other_versions_is_named_and_gets_no_work(
    supervise: Make, shared: Path, tmp_path: Path, run: Callable[..., Results]
) -> None:
    toy = Path(__file__).parents[2] / "toy" / "denas_toy-0.1.0.dist-info"
    other = shutil.copytree(toy, tmp_path / "other" / "denas_toy-9.9.9.dist-info")
    (other / "METADATA").write_text((toy / "METADATA").read_text().replace("0.1.0", "9.9.9"))
    paths = f"{other.parent}:{toy.parent}"
    supervisor = supervise()
    with working(shared, PYTHONPATH=paths) as (stranger,), working(shared, "--wait", PYTHONPATH=paths):
        searching = run(supervisor, evaluations.square)
        assert stranger.wait(300) == 2
        reason = "denas-toy 9.9.9 instead of 0.1.0"
        assert f"error: the search in {str(shared)!r} has other versions: {reason}\n" in end(stranger)
        with working(shared):
            check_squares(searching.result(300))
        assert wait_until(lambda: len(supervisor._transport.notices) == 2)  # type: ignore[attr-defined]
        assert all(notice.endswith(f"gets no work: {reason}") for notice in supervisor._transport.notices)  # type: ignore[attr-defined]


def test_versions_differ_by_what_the_search_has() -> None:
    assert version_difference({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "2"}) == ""
    assert (
        version_difference({"a": "1"}, {"a": "2", "b": "2"})
        == "a 1 instead of 2, b not installed instead of 2"
    )
    assert {"Python", "torch", "numpy", "denas-core"} <= versions().keys()


def test_a_search_that_no_worker_can_load_stops_and_says_why(supervise: Make, shared: Path) -> None:
    with working(shared) as (worker,):
        with pytest.raises(
            PluginError, match=r"cannot load .*: 5 processes ended before .* exit status 3 \(on "
        ):
            list(supervise().run(evaluations.Unloadable(), work(6)))
        assert worker.wait(300) == 3
        assert "error: 5 processes ended before they took any work" in end(worker)


def test_a_search_without_workers_stops_when_its_patience_ends(supervise: Make, shared: Path) -> None:
    supervisor = supervise(patience=1.0)
    with pytest.raises(NoResult, match=r"no worker for 1 s; start some with 'denas worker .*--resume"):
        list(supervisor.run(evaluations.square, work(6)))
    supervisor.close()
    assert [path.name for path in shared.iterdir()] == ["denas.queue"]


def test_a_directory_that_disappears_is_an_error(supervise: Make, shared: Path) -> None:
    supervisor = supervise()
    with working(shared) as (worker,):
        running = supervisor.run(evaluations.slow, work(10_000))
        next(running)
        shutil.rmtree(shared, ignore_errors=True)
        shutil.rmtree(shared, ignore_errors=True)
        with pytest.raises(StorageError, match="cannot use"):
            list(running)
        assert worker.wait(300) == 0


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda path: None, ConfigError, "there is no directory"),
        (lambda path: path.touch(), ConfigError, "is not a directory"),
        (lambda path: (path / "photos").mkdir(parents=True), ConfigError, "holds other files, such as 'photos'"),
        (lambda path: (path.mkdir(), path.chmod(0o777)), ConfigError, "other users may write to"),
        (lambda path: (path.mkdir(), path.chmod(0o1777)), ConfigError, "other users may write to"),
        (lambda path: (path.mkdir(), path.chmod(0o775)), ConfigError, "other users may write to"),
    ],
)  # fmt: skip
def test_a_directory_that_cannot_be_shared_is_refused(
    tmp_path: Path, make: Callable[[Path], Any], error: type[DenasError], text: str
) -> None:
    make(tmp_path / "shared")
    with pytest.raises(error, match=text):
        check_directory(tmp_path / "shared")


def test_a_directory_that_cannot_be_written_is_refused(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A relative path, since another user cannot reach the folders above it.
    monkeypatch.chdir(shared.parent)
    for folder in (shared.parent, shared):
        folder.chmod(0o555)
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        with pytest.raises(StorageError, match="let this user write there"):
            check_directory(Path(shared.name))
    finally:
        os.seteuid(user)
        shared.parent.chmod(0o755)
    assert list(shared.iterdir()) == []


def test_others_may_write_where_the_user_allows_it(shared: Path) -> None:
    shared.chmod(0o777)
    check_directory(shared, allow_others=True)
    check_directory(shared, allow_others=True)
