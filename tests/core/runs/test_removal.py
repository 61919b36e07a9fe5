"""Removing runs: all of a run and nothing else."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

from denas_core.errors import ConfigError, RunBusy
from denas_core.registry.registry import Registry
from denas_core.runs.files import is_run
from denas_core.runs.inventory import summarise
from denas_core.runs.removal import PARTS, check_removable, remove_runs
from denas_core.study.repair import repair_run
from denas_core.system.lock import RunLock
from tests.core import toy_searches as running
from tests.core.toy_searches import denas, denas_here, toy_search


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "run"
    toy_search(path, budget=8)
    return path


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "run")
    return tmp_path / "run"


def test_nothing_of_a_run_is_left(run: Path) -> None:
    assert (run / "report.html").exists() and (run / "insight.json").exists()
    (run / "confidence.json").write_text("{}")
    (removal,) = remove_runs([run])
    assert removal.kept == () and not run.exists()


def test_a_repaired_run_is_removed_with_the_files_that_the_repair_kept(run: Path) -> None:
    store = run / "study.db"
    raw = bytearray(store.read_bytes())
    raw[-3000:] = b"\xff" * 3000
    store.write_bytes(bytes(raw))
    repair_run(run, Registry.discover())
    assert list(run.glob("study.db.damaged-*"))
    assert remove_runs([run])[0].kept == () and not run.exists()


def test_a_run_that_was_killed_is_removed_with_its_log(run: Path) -> None:
    for name in ("study.db-wal", "study.db-shm", "owner.json", ".best.json.0a1b.tmp"):
        (run / name).write_text("x")
    assert remove_runs([run])[0].kept == () and not run.exists()


def test_other_files_stay(run: Path) -> None:
    (run / "notes.txt").write_text("mine")
    (run / "architectures/mine.txt").write_text("mine")
    (run / "plots").mkdir()
    (removal,) = remove_runs([run])
    assert removal.kept == ("architectures", "notes.txt", "plots")
    assert (run / "architectures/mine.txt").read_text() == (run / "notes.txt").read_text() == "mine"
    assert [path.name for path in (run / "architectures").iterdir()] == ["mine.txt"]
    assert not is_run(run)


def test_no_link_is_followed(run: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("a.json", "b.json"):
        (outside / name).write_text("{}")
    shutil.rmtree(run / "architectures")
    (run / "architectures").symlink_to(outside)
    (run / "best.json").unlink()
    (run / "best.json").symlink_to(outside / "a.json")
    (removal,) = remove_runs([run])
    assert removal.kept == ("architectures", "best.json")
    assert sorted(path.name for path in outside.iterdir()) == ["a.json", "b.json"]


def test_links_and_what_is_no_run_are_refused_before_anything_is_removed(run: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(run)
    other = tmp_path / "other"
    other.mkdir()
    (other / "study.db").write_bytes(b"SQLite format 3\0" + b"\0" * 200)
    for refused, why in ((link, "is a link"), (other, "not a run"), (tmp_path / "none", "not a run")):
        with pytest.raises(ConfigError, match=why):
            remove_runs([run, refused])
    (run / "run.lock").unlink()
    (tmp_path / "target").write_text("precious")
    (run / "run.lock").symlink_to(tmp_path / "target")
    with pytest.raises(ConfigError, match="leads out of the run"):
        check_removable([run])
    assert (tmp_path / "target").read_text() == "precious" and (run / "study.db").exists()


def test_a_busy_run_is_refused_and_the_others_with_it(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "busy")
    lock = RunLock(tmp_path / "busy")
    try:
        with pytest.raises(RunBusy):
            remove_runs([run, tmp_path / "busy"])
        assert (run / "study.db").exists()
        assert denas_here("run", "rm", "--yes", str(tmp_path / "busy")).returncode == 4
    finally:
        lock.release()
    assert len(remove_runs([run, tmp_path / "busy"])) == 2


def test_a_removal_that_is_cut_off_leaves_a_run_and_can_be_repeated(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop after every single file, as a kill would."""
    unlink = Path.unlink
    total = sum(path.is_file() for path in made.rglob("*"))
    for count in range(total):
        run = tmp_path / f"run-{count}"
        shutil.copytree(made, run)
        left = count

        def limited(path: Path, missing_ok: bool = False) -> None:
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            # The lock's own file is not counted: it comes and goes with the lock.
            left -= path.name != "owner.json"
            unlink(path, missing_ok=missing_ok)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", limited)
            with pytest.raises(KeyboardInterrupt):
                remove_runs([run])
        # Everything but the store goes first, and the store before what says that there was one.
        stage = summarise(run).state if is_run(run) else "gone"
        names = {path.name for path in run.iterdir()}
        assert stage == (
            "finished" if "study.db" in names else "not begun" if "config.yaml" in names else "gone"
        )
        if is_run(run):
            remove_runs([run])
            assert not run.exists()


def test_the_store_goes_after_everything_that_can_be_made_again() -> None:
    derived = ("report.html", "insight.json", "confidence.json", "best.json", "result.json", "architectures")
    assert max(PARTS.index(name) for name in derived) < PARTS.index("study.db") < PARTS.index("run.lock")


def test_the_command_asks_and_refuses_where_it_cannot(run: Path) -> None:
    done = denas("run", "rm", str(run))
    assert done.returncode == 2 and "--yes" in done.stderr and run.exists()
    assert answered("n", run) != 0 and run.exists()
    assert answered("y", run) == 0 and not run.exists()


def answered(answer: str, run: Path) -> int:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        return subprocess.run(
            running.denas_command("run", "rm", str(run)),
            stdin=theirs,
            capture_output=True,
            env=running.environment(),
            timeout=300,
            check=False,
        ).returncode
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_command_says_what_it_removed_and_what_it_kept(run: Path) -> None:
    shutil.copytree(run, run.parent / "other")
    (run.parent / "other/notes.txt").touch()
    done = denas_here("run", "rm", "-y", str(run), str(run.parent / "other"))
    assert done.returncode == 0
    assert f"removed {run} (" in done.stdout and "kept what else is there: notes.txt" in done.stdout


def test_one_run_may_be_named_in_several_ways(run: Path) -> None:
    done = denas_here("run", "rm", str(run), f"{run}/", f"{run}/../run", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("removed") == 1
    assert not run.exists()
