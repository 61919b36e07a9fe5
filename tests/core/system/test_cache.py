from __future__ import annotations

import os
from pathlib import Path

import pytest

from denas_core.system.cache import cache_folder, read_cached, write_cached

NAME = "latency/reference.json"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DENAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_is_kept_is_read_back(folder: Path) -> None:
    assert read_cached(NAME) is None
    assert write_cached(NAME, {"ms": 1.5})
    assert read_cached(NAME) == {"ms": 1.5}
    assert write_cached(NAME, {"ms": 2.5})
    assert read_cached(NAME) == {"ms": 2.5}
    assert [path.name for path in (folder / "latency").iterdir()] == ["reference.json"]


def test_the_folder_is_named_by_the_variable_the_xdg_specification_or_the_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DENAS_CACHE", "~/here")
    assert cache_folder() == tmp_path / "here"
    monkeypatch.delenv("DENAS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "denas"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / ".cache" / "denas"


def test_off_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert write_cached(NAME, {"ms": 1.5})
    monkeypatch.setenv("DENAS_CACHE", "off")
    assert cache_folder() is None
    assert read_cached(NAME) is None
    assert not write_cached(NAME, {"ms": 2.5})


DAMAGED = {"empty": b"", "cut": b'{"ms": 1.', "list": b"[1]", "binary": b"\xff\xfe", "deep": b"[" * 100_000}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_ignored_and_replaced(folder: Path, content: bytes) -> None:
    (folder / "latency").mkdir(parents=True)
    (folder / NAME).write_bytes(content)
    assert read_cached(NAME) is None
    assert write_cached(NAME, {"ms": 1.5})
    assert read_cached(NAME) == {"ms": 1.5}


def test_a_folder_that_cannot_be_made_is_no_error(folder: Path) -> None:
    folder.write_text("a file is in its place")
    assert not write_cached(NAME, {"ms": 1.5})
    assert read_cached(NAME) is None


def test_tests_do_not_use_the_folder_of_the_user() -> None:
    found = cache_folder()
    assert found is not None
    assert found == Path(os.environ["DENAS_CACHE"])
    assert not found.is_relative_to(Path.home() / ".cache")
