"""Lines for people on standard error."""

from __future__ import annotations

import contextlib
import io

import pytest

from denas_core.cli import _run
from denas_core.cli.output import print_notice


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("NO_COLOR", "1")


def test_a_long_line_is_broken_between_words_and_keeps_its_indent() -> None:
    with contextlib.redirect_stderr(Terminal()) as terminal:
        print_notice("  space: cv/cnn:micro (the task suggests it for these data)")
    assert terminal.getvalue() == "  space: cv/cnn:micro (the\n  task suggests it for these\n  data)\n"


def test_an_error_is_broken_between_words_in_a_terminal_alone() -> None:
    with contextlib.redirect_stderr(Terminal()) as terminal:
        assert _run(["report", "nowhere"], debug=False) == 2
    lines = terminal.getvalue().splitlines()
    assert len(lines) > 1 and max(map(len, lines)) <= 30
    with contextlib.redirect_stderr(io.StringIO()) as pipe:
        assert _run(["report", "nowhere"], debug=False) == 2
    assert pipe.getvalue() == " ".join(lines) + "\n"
