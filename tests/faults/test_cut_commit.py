"""On a network file system a store has a journal instead of a log: a kill within a commit leaves it half done."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from denas_core.cli import _run
from denas_core.launch import resume
from denas_core.registry.registry import Registry
from denas_core.study.repair import repair_run
from tests.core.toy_searches import table, toy_search


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("whole") / "run"
    toy_search(run, budget=60)
    return run


@pytest.fixture
def cut(whole: Path, tmp_path: Path) -> Path:
    """A copy of `whole`, taken while a commit had written pages and had not ended."""
    connection = sqlite3.connect(whole / "study.db", isolation_level=None)
    for pragma in ("journal_mode = DELETE", "cache_size = 2"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE component SET value = 1.5")
    connection.execute("UPDATE trial SET arch = arch || printf('%2000s', '')")
    cut = Path(shutil.copytree(whole, tmp_path / "cut"))
    connection.execute("ROLLBACK")
    connection.close()
    assert (cut / "study.db").read_bytes() != (whole / "study.db").read_bytes()
    return cut


def test_a_resume_takes_half_a_commit_back(
    cut: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["trials", str(cut)], debug=False) == 6
    assert f"holds half a commit, which a resume takes back: denas search --resume {cut}" in (
        capsys.readouterr().err
    )
    resume(cut)
    assert table(cut) == table(whole)


def test_a_repair_finds_nothing_to_mend(cut: Path, whole: Path) -> None:
    found = repair_run(cut, Registry.discover())
    assert (found.kept, found.dropped, found.damaged) == (len(table(whole)), 0, ())
    resume(cut)
    assert table(cut) == table(whole)


def test_a_repair_of_a_damaged_store_takes_half_a_commit_back_first(cut: Path, whole: Path) -> None:
    # The signature of the file, and of the page that the journal would put back.
    for name in ("study.db", "study.db-journal"):
        content = (cut / name).read_bytes()
        (cut / name).write_bytes(content.replace(b"SQLite format 3\0", bytes(16)))
    found = repair_run(cut, Registry.discover())
    assert (found.kept, found.dropped) == (len(table(whole)), 0)
    assert "study.db.damaged-1-journal" in found.damaged
