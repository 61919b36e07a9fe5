from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from denas_core.errors import StorageError
from denas_core.system.atomic import remove_leftovers, storage_errors, write_atomically, write_json


def names(directory: Path) -> list[str]:
    return [entry.name for entry in directory.iterdir()]


def test_content_is_replaced_and_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, "old")
    write_json(path, {"x": 1})
    assert path.read_text() == '{\n  "x": 1\n}\n'
    assert names(tmp_path) == ["a.json"]


def test_files_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_atomically(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_a_failure_before_the_replacement_keeps_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    write_atomically(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device; free space"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_place_that_may_not_be_written_asks_for_no_space(tmp_path: Path, code: int) -> None:
    asked = "; let this user write there, or choose another place"
    with pytest.raises(StorageError, match=asked), storage_errors(tmp_path):
        raise OSError(code, os.strerror(code))


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        write_atomically(tmp_path / "nowhere" / "a", "x")


def test_not_a_number_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a", {"x": float("nan")})
    assert names(tmp_path) == []


def test_leftovers_of_killed_writes_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".a.json.0123456789abcdef.tmp").write_text("half")
    (tmp_path / "a.json").write_text("{}")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["a.json"]


def test_a_new_name_is_synced_after_its_content_and_its_replacement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        order.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def replaced(self: Path, target: Path) -> Path:
        order.append("replacement")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    write_atomically(tmp_path / "a", "x")
    assert order == ["file", "replacement", "directory"]


def test_leftovers_in_the_directories_of_a_run_are_removed_too(tmp_path: Path) -> None:
    for name in (
        "architectures/.k.json.0123456789abcdef.tmp",
        ".study.db.tmp-journal",
        ".repair.tmp/study.db",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("half")
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["architectures"]


def test_what_has_a_lock_of_its_own_is_left_to_its_owner(tmp_path: Path) -> None:
    training = tmp_path / "training"
    (training / "model").mkdir(parents=True)
    (training / "run.lock").touch()
    for folder in (tmp_path, training, training / "model"):
        (folder / ".a.json.0123456789abcdef.tmp").write_text("half")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["training"]
    assert len([*training.rglob(".a.json.*")]) == 2
    remove_leftovers(training)
    assert [*training.rglob(".a.json.*")] == []


def test_leftovers_are_files_and_links_but_no_directories(tmp_path: Path) -> None:
    elsewhere, run = tmp_path / "elsewhere", tmp_path / "run"
    (elsewhere / "mine").mkdir(parents=True)
    (run / ".notes.tmp").mkdir(parents=True)
    (run / ".repair.tmp").symlink_to(elsewhere)
    remove_leftovers(run)
    assert names(run) == [".notes.tmp"]
    assert names(elsewhere) == ["mine"]
