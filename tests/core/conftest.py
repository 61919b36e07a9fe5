from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .plugin_modules import Install

if TYPE_CHECKING:
    from .tiny_checkpoint import Change


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that writes a module and returns an entry point for it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("DENAS_DISABLE_PLUGINS", raising=False)
    before = set(sys.modules)

    def write(name: str, code: str, *, plugin: str = "") -> EntryPoint:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(code))
        return EntryPoint(name=plugin or name, value=name, group="denas")

    yield write
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that reaches for the network."""

    def refuse(*_: object) -> None:
        raise AssertionError("reached for the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny BERT."""
    from .tiny_checkpoint import bert, save

    return save(bert(), tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def changed(checkpoint: Path, tmp_path: Path) -> Change:
    """Return a function that copies the checkpoint, with other values in its configuration, and returns the folder."""

    def change(**values: object) -> Path:
        place = tmp_path / "changed"
        shutil.copytree(checkpoint, place, dirs_exist_ok=True)
        config = json.loads((place / "config.json").read_text())
        (place / "config.json").write_text(json.dumps({**config, **values}))
        return place

    return change
