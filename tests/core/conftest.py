from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from .plugin_modules import Install


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
