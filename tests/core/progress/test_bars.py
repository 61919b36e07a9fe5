"""Bars: where they are shown, and that nothing else is printed."""

from __future__ import annotations

import io
import sys
import types
from pathlib import Path

import pytest

import denas_core
from denas_core.building.bars import BuildBars, observer_of_build
from denas_core.progress import bars


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def search(out: Path, **options: object) -> denas_core.SearchResult:
    return denas_core.search(
        "cv/cnn:micro",
        score="scores/params",
        strategy="builtin/random",
        budget=3,
        device="cpu",
        out=out,
        **options,
    )  # type: ignore[arg-type]


def test_a_terminal_shows_a_bar_and_a_pipe_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    search(tmp_path / "piped")
    assert capsys.readouterr() == ("", "")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    search(tmp_path / "shown")
    shown = terminal.getvalue()
    assert "100%" in shown and "3 scored" in shown
    assert capsys.readouterr().out == ""
    terminal.truncate(0)
    search(tmp_path / "silent", progress=False)
    assert terminal.getvalue().strip("\0") == ""


def test_a_notebook_shows_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not bars.is_in_notebook()
    ipython = types.ModuleType("IPython")
    shell = types.SimpleNamespace(kernel=object())
    ipython.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert bars.can_show_bars()
    assert len(bars.bar_of_race(True)) == len(bars.bar_of_training(True, "accuracy")) == 1
    assert bars.bar_of_race(False) == []
    assert isinstance(observer_of_build(True), BuildBars) and not isinstance(
        observer_of_build(False), BuildBars
    )
    shell.kernel = None
    assert not bars.can_show_bars(), "a shell in a pipe"


def test_without_tqdm_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert bars.can_show_bars()
    monkeypatch.setattr(bars.importlib.util, "find_spec", lambda name: None)
    assert not bars.can_show_bars() and bars.bar_of_search(True) == []


def test_a_bar_ends_where_the_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    bar = bars.TqdmDisplay()
    bar.print("a line that the result has, too")
    bar.start(0.0, lambda: "begun")
    bar.finish(0.5, lambda: "stopped")
    assert "50%" in terminal.getvalue() and "stopped" in terminal.getvalue()
    assert "a line" not in terminal.getvalue()
