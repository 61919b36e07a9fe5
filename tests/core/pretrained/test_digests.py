"""The digest of a large file is kept, and a file that has changed in any way is read again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from denas_core.pretrained import digests
from denas_core.pretrained.digests import file_digest

CONTENT = bytes(range(256)) * 8
LONG_AGO = 10**9


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let digests of all files be kept, as soon as they are written, and return their folder."""
    monkeypatch.setattr(digests, "KEPT_FROM_BYTES", 1)
    monkeypatch.setattr(digests, "SETTLED_NS", -1)
    monkeypatch.setenv("DENAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/digests"


def written(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / "model.safetensors"
    path.write_bytes(content)
    return path


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def with_kept_text(folder: Path, text: str) -> None:
    (file,) = folder.iterdir()
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, "sha256": text}))


def test_a_file_that_has_not_changed_is_not_read_again(tmp_path: Path, kept: Path) -> None:
    path = written(tmp_path)
    assert file_digest(path) == sha256(CONTENT)
    # What is kept is what is returned, so the file was not read.
    with_kept_text(kept, "ab" * 32)
    assert file_digest(path) == bytes.fromhex("ab" * 32)


def overwritten(path: Path) -> None:
    """Change a byte in place, and give the file its former times, as tools for backups do."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(7)
        file.write(b"\xff")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replaced(path: Path) -> None:
    status = path.stat()
    other = path.with_suffix(".new")
    other.write_bytes(CONTENT[::-1])
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def appended(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


@pytest.mark.parametrize("change", [overwritten, replaced, appended])
def test_a_changed_file_is_noticed(change: Callable[[Path], None], tmp_path: Path, kept: Path) -> None:
    path = written(tmp_path)
    before = file_digest(path)
    # The times of some file systems have a resolution of milliseconds; a real file has settled by then.
    while written(tmp_path / "cache").stat().st_ctime_ns == path.stat().st_ctime_ns:
        pass
    change(path)
    assert file_digest(path) == sha256(path.read_bytes()) != before


def test_a_file_that_changed_just_now_may_change_again_and_is_not_kept(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(digests, "KEPT_FROM_BYTES", 1)
    monkeypatch.setenv("DENAS_CACHE", str(tmp_path / "cache"))
    path = written(tmp_path)
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    assert file_digest(path) == sha256(CONTENT)
    assert not kept.exists()


@pytest.mark.parametrize("text", ["", "zz" * 32, "ab" * 31])
def test_a_damaged_digest_is_not_used(text: str, tmp_path: Path, kept: Path) -> None:
    path = written(tmp_path)
    file_digest(path)
    with_kept_text(kept, text)
    assert file_digest(path) == sha256(CONTENT)


def test_small_files_and_users_without_a_cache_keep_nothing(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    monkeypatch.setattr(digests, "KEPT_FROM_BYTES", len(CONTENT) + 1)
    assert file_digest(path) == sha256(CONTENT)
    monkeypatch.setattr(digests, "KEPT_FROM_BYTES", 1)
    monkeypatch.setenv("DENAS_CACHE", "off")
    assert file_digest(path) == sha256(CONTENT)
    assert not kept.exists()
