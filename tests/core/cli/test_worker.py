"""``denas worker``: a search by workers that share a directory gives the table of a search in one process."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests import warm
from tests.core.gate import Gate
from tests.core.toy_searches import denas, denas_command, environment, table
from tests.core.workers.directory_workers import end, start_worker, wait_until, working

SEARCH = ("search", "toy/stairs", "--score", "toy/both", "--device", "cpu", "--set", "score.failing=9")
QUEUE = ("--executor", "queue", "--set", "executor.directory=shared", "--set", "executor.silence=15")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir(mode=0o700)
    return tmp_path


def search(folder: Path, *arguments: str) -> warm.Process:
    """Start a search beside the test."""
    return warm.start(denas_command(*arguments), env=environment(), cwd=folder, stdout=subprocess.DEVNULL)


def close(folder: Path, *, trials: int) -> Gate:
    """Let the search of the run ``run`` get so far."""
    return Gate(folder / "gate", folder / "run" / "study.db", trials=trials)


def workers_of(directory: Path, *, besides: set[Path]) -> list[Path]:
    """Return the mailboxes of the workers of a search, which is not one of those."""
    return [path for path in directory.glob("search-*/*-*") if path.is_dir() and path.parent not in besides]


def committed(run: Path) -> int:
    return len(table(run)) if (run / "study.db").exists() else 0


def serial(folder: Path, budget: int) -> Path:
    done = denas(
        *SEARCH, "--executor", "serial", "--budget", str(budget), "-o", str(folder / "serial"), timeout=300
    )
    assert done.returncode == 0, done.stderr
    return folder / "serial"


def test_one_worker_gives_the_table_of_a_serial_search(folder: Path) -> None:
    with working(folder / "shared"):
        done = denas(*SEARCH, *QUEUE, "--budget", "130", "-o", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "no worker; start some with: denas worker shared\n" in done.stderr
    assert table(folder / "run") == table(serial(folder, 130))


def test_workers_that_come_go_and_are_killed_give_the_table_of_a_serial_search(folder: Path) -> None:
    run, shared = folder / "run", folder / "shared"
    gate = close(folder, trials=0)
    with (
        search(folder, *SEARCH, *QUEUE, *gate.setting, "-o", "run", "--budget", "200") as searching,
        working(shared, count=3) as all_,
    ):
        # The kills come last and at once, because the search misses a killed worker only after a while.
        for numbers, by in (((0,), signal.SIGTERM), ((1,), signal.SIGINT), ((2, 3), signal.SIGKILL)):
            before = committed(run)
            gate.move(before + 15)
            wait_until(lambda before=before: committed(run) > before + 10)
            for number in numbers:
                all_[number].send_signal(by)
                all_.append(start_worker(shared))
        gate.open()
        assert searching.wait(300) == 0
        assert searching.stderr is not None
        assert searching.stderr.read().count(" was replaced: worker ") <= 2
    assert table(run) == table(serial(folder, 200))


def test_a_killed_search_is_resumed_by_the_workers_that_it_had(folder: Path) -> None:
    run, gate = folder / "run", close(folder, trials=50)
    with working(folder / "shared", count=2) as workers:
        with search(folder, *SEARCH, *QUEUE, *gate.setting, "-o", "run", "--budget", "150") as first:
            wait_until(lambda: committed(run) > 30)
            first.kill()
        old = set((folder / "shared").glob("search-*"))
        with search(folder, "search", "--resume", "run") as second:
            # A worker that comes when the search is over would wait for the next one.
            wait_until(lambda: len(workers_of(folder / "shared", besides=old)) == 2)
            gate.open()
            second.wait(300)
            assert second.returncode == 0
        assert [worker.wait(300) for worker in workers] == [0, 0]
        assert " lost touch with search-" in end(workers[0])
    assert table(run) == table(serial(folder, 150))


def test_a_search_that_is_stopped_ends_its_workers(folder: Path) -> None:
    run, pause = folder / "run", ("--set", "score.pause=0.02", "--budget", "10000")
    with working(folder / "shared") as (worker,):
        with search(folder, *SEARCH, *QUEUE, *pause, "-o", "run") as stopped:
            wait_until(lambda: committed(run) > 10)
            stopped.send_signal(signal.SIGINT)
            assert stopped.wait(300) == 130
        assert worker.wait(300) == 0
    assert [path.name for path in (folder / "shared").iterdir()] == ["denas.queue"]


@pytest.mark.parametrize("name", ["missing", "file", "photos", "open"])
def test_a_directory_that_cannot_be_shared_is_refused_by_both_sides(folder: Path, name: str) -> None:
    (folder / "file").touch()
    (folder / "photos" / "2020").mkdir(parents=True)
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    text = {
        "missing": "there is no directory 'missing'; make one that all machines of the search share",
        "file": "'file' is not a directory; name one that all machines of the search share",
        "photos": "'photos' holds other files, such as '2020'; name an empty directory",
        "open": "other users may write to 'open', and so run code as you; use a directory of your own "
        "(chmod go-w), or allow it if you trust them all, see 'denas worker --help'",
    }[name]
    worker = denas("worker", name, cwd=folder)
    assert (worker.returncode, worker.stdout, worker.stderr) == (2, "", f"error: {text}\n")
    queue = ("--executor", "queue", "--set", f"executor.directory={name}", "-o", "run", "-q")
    searching = denas(*SEARCH, *queue, "--budget", "5", cwd=folder)
    assert (searching.returncode, searching.stdout, searching.stderr) == (2, "", f"error: {text}\n")


def test_a_queue_needs_its_directory(folder: Path) -> None:
    done = denas(*SEARCH, "--executor", "queue", "--budget", "5", "-o", "run", "-q", cwd=folder)
    assert done.returncode == 2
    assert done.stderr == (
        "error: executor 'builtin/queue' needs the directory that its workers share: "
        "--set executor.directory=DIRECTORY\n"
    )


def test_a_worker_without_a_search_ends_when_its_patience_does(folder: Path) -> None:
    done = denas("worker", "shared", "--patience", "1", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "error: no search has begun in 'shared' within 1 s\n")


def test_a_search_without_workers_stops_and_can_be_resumed(folder: Path) -> None:
    patience = ("--set", "executor.patience=1")
    done = denas(*SEARCH, *QUEUE, *patience, "--budget", "20", "-o", "run", "-q", cwd=folder)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: there was no worker for 1 s; start some with 'denas worker shared'")
    with working(folder / "shared"):
        resumed = denas("search", "--resume", "run", "--set", "executor.patience=300", cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    assert table(folder / "run") == table(serial(folder, 20))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (("--memory-gb", "0"), "memory_gb"),
        (("--memory-gb", "nan"), "memory_gb"),
        (("--workers", "0"), "--workers"),
        (("--patience", "-1"), "--patience"),
    ],
)
def test_options_are_checked_before_a_worker_waits(folder: Path, given: tuple[str, ...], text: str) -> None:
    done = denas("worker", "shared", *given, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert text in done.stderr


def test_more_processes_than_memory_are_refused(folder: Path) -> None:
    with search(folder, *SEARCH, *QUEUE, "--budget", "5", "-o", "run") as waiting:
        done = denas("worker", "shared", "--workers", "9000", cwd=folder)
        waiting.send_signal(signal.SIGTERM)
        waiting.wait(300)
    assert done.returncode == 2
    assert done.stderr.startswith("worker ")
    assert "error: 9000 workers need about " in done.stderr
