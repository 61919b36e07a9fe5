from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from denas_core.registry.registry import Registry

from .making import Distribution, installed

Zoo = Callable[[Iterable[Distribution]], Registry]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zoo]:
    """Return a function that installs distributions for the tests of a module, and discovers all plugins."""
    with contextlib.ExitStack() as stack:

        def install(distributions: Iterable[Distribution]) -> Registry:
            stack.enter_context(installed(tmp_path_factory.mktemp("zoo"), distributions))
            return Registry.discover()

        before = list(sys.path)
        yield install
    assert sys.path == before


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
