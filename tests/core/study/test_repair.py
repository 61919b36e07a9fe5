"""A damaged run is repaired: its longest whole part is kept, and resuming it ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from denas_core.cli import _run
from denas_core.errors import ConfigError, RunBusy, StoreDamaged
from denas_core.launch import resume
from denas_core.registry.registry import Registry
from denas_core.runs.files import read_run
from denas_core.runs.store import Store
from denas_core.study.repair import Repair, repair_run
from denas_core.system.lock import RunLock
from tests.core.toy_searches import environment, table, toy_search

PAGE = 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("whole") / "run"
    toy_search(run, score={"name": "toy/both", "failing": 9})
    return run


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def repair(run: Path) -> Repair:
    return repair_run(run, Registry.discover())


def change(run: Path, *statements: str) -> None:
    connection = sqlite3.connect(run / "study.db")
    connection.executescript("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def fill(run: Path, page: int, content: bytes = bytes(PAGE)) -> None:
    with (run / "study.db").open("r+b") as file:
        file.seek(page * PAGE)
        file.write(content)


def ends_as(run: Path, whole: Path) -> bool:
    resume(run)
    best = (run / "best.json").read_text()
    return table(run) == table(whole) and best == (whole / "best.json").read_text()


def count(run: Path) -> int:
    return len(table(run))


def test_the_last_trials_are_dropped_and_evaluated_again(
    run: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    total = count(whole)
    change(run, f"UPDATE component SET value = 9.0 WHERE idx = {total - 2} AND name = 'height'")
    damaged = (run / "study.db").read_bytes()
    assert _run(["trials", str(run)], debug=False) == 5
    assert f"repair it with: denas repair {run}" in capsys.readouterr().err
    assert _run(["repair", str(run)], debug=False) == 0
    told = capsys.readouterr()
    assert f"kept {total - 2} of {total} trials; 2 are evaluated again on --resume" in told.out
    assert (run / "study.db.damaged-1").read_bytes() == damaged
    assert count(run) == total - 2
    assert ends_as(run, whole)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM trial WHERE idx = 50",
        "DELETE FROM component WHERE idx = 50",
        "UPDATE trial SET generation = 7 WHERE idx = 50",
        """UPDATE trial SET state = 'failed', reason = 'x' WHERE idx = 50""",
        "UPDATE component SET digest = '' WHERE idx = 50",
    ],
)
def test_nothing_after_the_first_damaged_trial_is_kept(run: Path, whole: Path, statement: str) -> None:
    # One that is scored: the failing ones have no components to lose.
    change(run, statement.replace("50", str(scored := scored_near(whole, 50))))
    with pytest.raises(StoreDamaged, match="denas repair"):
        read_run(run).trials()
    done = repair(run)
    assert (done.kept, done.dropped) == (scored, count(whole) - scored)
    assert ends_as(run, whole)


def scored_near(run: Path, index: int) -> int:
    return next(t.index for t in read_run(run).trials() if t.index >= index and t.is_scored)


def test_a_whole_run_is_left_as_it_is(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()}
    assert _run(["repair", str(run)], debug=False) == 0
    assert "nothing to repair" in capsys.readouterr().out
    assert {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()} == before


def test_the_log_of_a_killed_run_is_read_and_stays(run: Path) -> None:
    store = Store.open(run / "study.db")
    store.set_header({**store.header(), "note": "in the log"})
    killed = {name: (run / name).read_bytes() for name in ("study.db", "study.db-wal")}
    store.close()
    for name, content in killed.items():
        (run / name).write_bytes(content)
    assert repair(run).damaged == ()
    assert {name: (run / name).read_bytes() for name in killed} == killed
    fill(run, 0, b"x" * 100)
    done = repair(run)
    assert done.damaged == ("study.db.damaged-1", "study.db.damaged-1-wal")
    assert read_run(run).header()["note"] == "in the log"
    assert (run / "study.db.damaged-1-wal").read_bytes() == killed["study.db-wal"]


def test_a_first_page_that_is_gone_costs_no_trial(run: Path, whole: Path) -> None:
    fill(run, 0)
    assert (repair(run).kept, ends_as(run, whole)) == (count(whole), True)


@pytest.mark.parametrize("table_", ["trial", "component"])
def test_a_branch_that_is_gone_costs_no_trial(run: Path, whole: Path, table_: str) -> None:
    connection = sqlite3.connect(run / "study.db")
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table_,)).fetchone()
    connection.close()
    kind = (run / "study.db").read_bytes()[(root - 1) * PAGE]
    assert kind in (0x05, 0x02), "the run is too small for a tree"
    fill(run, root - 1)
    kept = repair(run).kept
    # The branches of an index hold rows themselves: some components are lost with one.
    assert kept == count(whole) if table_ == "trial" else kept > 0
    assert ends_as(run, whole)


@pytest.mark.parametrize("page", range(1, 20, 6))
def test_whatever_page_is_lost_the_run_ends_the_same(run: Path, whole: Path, page: int) -> None:
    fill(run, page, os.urandom(PAGE))
    repair(run)
    assert ends_as(run, whole)


def test_a_lost_header_is_made_anew_from_the_configuration(run: Path, whole: Path) -> None:
    change(run, "DELETE FROM meta")
    done = repair(run)
    assert done.kept == count(whole)
    assert "made anew from config.yaml" in done.notices[0]
    assert "seconds worked are lost" in done.notices[1]
    anew, lost = read_run(run).header(), read_run(whole).header()
    # When it began is not known any more.
    assert anew == {key: lost[key] for key in lost if key != "started"}
    assert read_run(run).active_seconds() > 0
    assert ends_as(run, whole)


@pytest.mark.parametrize("part", [b"key TEXT NOT NULL UNIQUE", b"BETWEEN 0 AND 1e308"])
def test_a_schema_that_is_no_text_any_more_costs_no_trial(run: Path, whole: Path, part: bytes) -> None:
    # SQLite quotes it in its message, which Python cannot decode.
    raw = (run / "study.db").read_bytes()
    assert raw.count(part) == 1
    (run / "study.db").write_bytes(raw.replace(part, part[:-3] + b"\xd4" + part[-2:]))
    assert (repair(run).kept, ends_as(run, whole)) == (count(whole), True)


def test_where_header_and_first_trial_are_lost_the_search_begins_again(run: Path, whole: Path) -> None:
    change(run, "DELETE FROM meta", "DELETE FROM trial WHERE idx = 0")
    done = repair(run)
    assert (done.kept, done.dropped) == (0, count(whole))
    assert "made anew from config.yaml" in done.notices[0]
    assert ends_as(run, whole)


def test_a_header_without_a_configuration_is_not_invented(run: Path) -> None:
    change(run, "DELETE FROM meta WHERE key = 'header'")
    (run / "config.yaml").unlink()
    before = (run / "study.db").read_bytes()
    with pytest.raises(StoreDamaged, match=r"lost and cannot be made anew.*fix config\.yaml"):
        repair(run)
    assert (run / "study.db").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"x", b"nothing of a store " * 3000])
def test_where_nothing_can_be_saved_the_exit_code_is_5(
    run: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "study.db").write_bytes(content)
    assert _run(["repair", str(run)], debug=False) == 5
    assert capsys.readouterr().err.startswith("error: nothing can be saved from ")
    assert (run / "study.db").read_bytes() == content
    assert not list(run.glob(".*tmp*"))


def test_damaged_files_are_never_overwritten(run: Path) -> None:
    kept = []
    for number in (1, 2, 3):
        change(run, f"UPDATE trial SET generation = 99 WHERE idx = {40 - number}")
        kept.append((run / "study.db").read_bytes())
        assert repair(run).damaged == (f"study.db.damaged-{number}",)
    assert [(run / f"study.db.damaged-{number}").read_bytes() for number in (1, 2, 3)] == kept
    assert count(run) == 37


def test_a_damaged_store_is_never_put_beside_the_log_of_another(run: Path, whole: Path) -> None:
    log_only = with_log(run)
    (run / "study.db").unlink()
    assert repair(run).damaged == ("study.db.damaged-1-wal",)
    fill(run, 0)
    assert "study.db.damaged-2" in repair(run).damaged
    assert (run / "study.db.damaged-1-wal").read_bytes() == log_only
    assert ends_as(run, whole)


def with_log(run: Path) -> bytes:
    """Give the run the log of a search that was killed after it had resumed, and return it."""
    store = Store.open(run / "study.db")
    store.set_header({**store.header(), "note": "in the log"})
    log = (run / "study.db-wal").read_bytes()
    before = (run / "study.db").read_bytes()
    store.close()
    (run / "study.db").write_bytes(before)
    (run / "study.db-wal").write_bytes(log)
    return log


def test_what_a_repair_did_is_printed_as_json(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(run, "UPDATE trial SET generation = 99 WHERE idx = 40")
    total = 40 + json.loads(_printed(["repair", str(run), "--json"], capsys))["dropped"]
    assert total > 100
    document = json.loads(_printed(["repair", str(run), "--json"], capsys))
    assert document == {
        "schema": "denas.repair/1",
        "run": str(run),
        "repaired": False,
        "kept": 40,
        "dropped": 0,
        "damaged": [],
        "notices": [],
    }


def _printed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert _run(arguments, debug=True) == 0
    return capsys.readouterr().out


def test_a_run_in_use_is_not_touched(run: Path) -> None:
    change(run, "DELETE FROM trial WHERE idx = 3")
    lock = RunLock(run)
    with pytest.raises(RunBusy):
        repair(run)
    lock.release()
    assert repair(run).kept == 3


def test_a_newer_store_is_left_to_a_newer_version(run: Path) -> None:
    change(run, "PRAGMA user_version = 3", "CREATE TABLE later (x)")
    with pytest.raises(StoreDamaged, match=r"newer version \(schema 3\); upgrade denas-core"):
        repair(run)


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a run directory"):
        repair(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_new_store_that_is_damaged_itself_is_put_aside(run: Path, whole: Path) -> None:
    (run / "study.db.repaired").write_bytes(b"torn")
    done = repair(run)
    assert (done.kept, done.damaged) == (count(whole), ("study.db.repaired.damaged-1",))
    assert (run / "study.db.repaired.damaged-1").read_bytes() == b"torn"
    (run / "study.db.repaired").write_bytes(b"torn again")
    fill(run, 0)
    assert repair(run).damaged[:2] == ("study.db.repaired.damaged-2", "study.db.damaged-1")
    assert ends_as(run, whole)


def test_a_new_store_that_is_damaged_is_not_put_aside_where_it_is_the_only_one(run: Path) -> None:
    (run / "study.db").rename(run / "study.db.damaged-1")
    (run / "study.db.repaired").write_bytes(b"torn")
    with pytest.raises(StoreDamaged, match=r"rename study\.db\.damaged-1 to study\.db"):
        repair(run)
    assert (run / "study.db.repaired").read_bytes() == b"torn"


@pytest.mark.parametrize("moment", range(1, 5))
def test_a_repair_that_is_killed_while_it_swaps_goes_on(run: Path, whole: Path, moment: int) -> None:
    store = Store.open(run / "study.db")
    store.set_header(store.header())
    log = (run / "study.db-wal").read_bytes()
    store.close()
    (run / "study.db-wal").write_bytes(log)
    fill(run, 9)
    script = """
import os, sys
from pathlib import Path
left = int(sys.argv[2])
rename, replace = Path.rename, Path.replace
def killed(act):
    def wrapper(self, target):
        global left
        if "study.db" in self.name and ".repair.tmp" not in str(self):
            left -= 1
            if left == 0:
                os._exit(9)
        return act(self, target)
    return wrapper
Path.rename, Path.replace = killed(rename), killed(replace)
from denas_core.cli import main
main(["repair", sys.argv[1]])
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(run), str(moment)], env=environment(), check=False, timeout=300
    )
    assert done.returncode == 9
    with pytest.raises(StoreDamaged, match="denas repair"):
        read_run(run).trials()
    assert repair(run).kept > 0
    names = {file.name for file in run.iterdir()}
    assert {"study.db.damaged-1", "study.db.damaged-1-wal"} <= names
    assert "study.db.repaired" not in names
    assert ends_as(run, whole)
