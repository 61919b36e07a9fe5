"""Listing runs: nothing in the directory can stop the list."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from denas_core.runs.files import is_run
from denas_core.runs.inventory import list_runs, size_on_disk, summarise
from denas_core.system.lock import RunLock, is_held
from tests import warm
from tests.core.toy_searches import denas_command, denas_here, environment, toy_search


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "finished"
    toy_search(path, budget=8)
    return path


@pytest.fixture
def runs(finished: Path, tmp_path: Path) -> Path:
    """A directory with a finished run, and room for others."""
    shutil.copytree(finished, tmp_path / "runs/finished")
    return tmp_path / "runs"


def states(directory: Path) -> dict[str, str]:
    return {run.path.name: run.state for run in list_runs(directory)[0]}


def test_a_finished_run_is_listed_with_what_it_found(runs: Path) -> None:
    size = sum(path.lstat().st_size for path in (runs / "finished").rglob("*") if path.is_file())
    ((run,), others) = list_runs(runs)
    best = json.loads((runs / "finished/result.json").read_text())["best"]
    assert (run.state, run.space, run.scored, run.budget) == ("finished", "toy/stairs", 8, "8")
    assert run.best_params == best["metrics"]["params"]
    assert run.age_seconds is not None and 0 <= run.age_seconds < 600
    assert run.bytes == size
    assert others == []


def test_a_search_is_running_while_its_process_lives_and_stopped_when_it_is_killed(runs: Path) -> None:
    options = ["search", "toy/stairs", "--score", "toy/both", "--set", "score.pause=0.05", "-b", "5000", "-q"]
    command = denas_command(*options, "--device", "cpu", "-o", str(runs / "slow"))
    with warm.start(command, env=environment(), stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 300
            while not (runs / "slow").is_dir() or not (summarise(runs / "slow").scored or 0):
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.05)
            assert states(runs) == {"finished": "finished", "slow": "running"}
        finally:
            process.kill()
    assert (runs / "slow/owner.json").exists()
    assert states(runs)["slow"] == "stopped"


def test_a_search_that_ended_without_spending_its_budget_is_finished(tmp_path: Path) -> None:
    # 124 staircases exist.
    space = {"name": "toy/stairs", "highest": 2}
    toy_search(tmp_path / "all", space=space, budget=1000)
    run = summarise(tmp_path / "all")
    assert run.state == "finished" and run.scored is not None and run.scored < 1000


def test_damaged_unbegun_and_foreign_directories_are_rows_or_counted(runs: Path) -> None:
    damaged = runs / "damaged"
    shutil.copytree(runs / "finished", damaged)
    (damaged / "study.db").write_bytes((damaged / "study.db").read_bytes()[:5000])
    header = runs / "header"
    shutil.copytree(runs / "finished", header)
    (header / "result.json").write_text("[" * 100_000)
    lost = runs / "lost"
    shutil.copytree(runs / "finished", lost)
    (lost / "study.db").unlink()
    unbegun = runs / "unbegun"
    unbegun.mkdir()
    for name in ("config.yaml", "run.lock"):
        (unbegun / name).touch()
    foreign = runs / "foreign"
    foreign.mkdir()
    (foreign / "study.db").write_bytes(b"SQLite format 3\0" + b"\0" * 200)
    (runs / "notes.txt").write_text("mine")
    (runs / "dangling").symlink_to(runs / "nowhere")
    assert states(runs) == {
        "damaged": "damaged",
        "finished": "finished",
        "header": "finished",
        "lost": "damaged",
        "unbegun": "not begun",
    }
    done = denas_here("run", "ls", str(runs))
    assert done.returncode == 0
    assert "damaged" in done.stdout and "3 other entries are not runs" in done.stderr
    listed = json.loads(denas_here("run", "ls", str(runs), "--json").stdout)
    assert [Path(run["path"]).name for run in listed["runs"]] == sorted(states(runs))


def test_a_run_itself_is_the_only_one_in_its_list(runs: Path) -> None:
    assert states(runs / "finished") == {"finished": "finished"}


def test_a_missing_directory_is_an_error_and_an_empty_one_is_none(tmp_path: Path) -> None:
    done = denas_here("run", "ls", str(tmp_path / "nowhere"))
    assert (done.returncode, done.stdout) == (2, "") and "no directory" in done.stderr
    done = denas_here("run", "ls", str(tmp_path))
    assert done.returncode == 0 and "no runs in" in done.stdout


def test_a_lock_is_seen_without_being_taken(runs: Path) -> None:
    run = runs / "finished"
    assert not is_held(run)
    lock = RunLock(run)
    try:
        assert is_held(run) and is_held(run)
    finally:
        lock.release()
    assert not is_held(run)
    # What a killed process leaves behind.
    (run / "owner.json").write_text("{}")
    before = sorted(run.iterdir())
    assert not is_held(run)
    assert sorted(run.iterdir()) == before


def test_sizes_count_links_as_links(runs: Path, tmp_path: Path) -> None:
    before = size_on_disk(runs / "finished")
    (tmp_path / "large").write_bytes(b"0" * 1_000_000)
    (runs / "finished/link").symlink_to(tmp_path / "large")
    assert size_on_disk(runs / "finished") < before + 1000


def test_only_what_a_search_made_is_a_run(tmp_path: Path) -> None:
    assert not is_run(tmp_path)
    (tmp_path / "config.yaml").write_text("mine: 1")
    (tmp_path / "study.db").write_bytes(b"somebody else's" * 20)
    assert not is_run(tmp_path)
