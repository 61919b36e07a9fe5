"""Colour of what commands print: in a terminal, and nowhere else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from denas_core.system.colour import paint, paint_first_word
from tests.core.toy_searches import denas_here, toy_search

from .terminals import in_terminal


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return monkeypatch


def test_a_terminal_gets_colours(colours: pytest.MonkeyPatch) -> None:
    assert paint("run", "heading", Terminal()) == "\x1b[1mrun\x1b[0m"
    assert paint_first_word("error: no", Terminal()) == "\x1b[1;31merror:\x1b[0m no"
    assert paint_first_word("erroneous", Terminal()) == "erroneous"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("NO_COLOR", "0"), ("TERM", "dumb")])
def test_a_variable_switches_colours_off(name: str, value: str, colours: pytest.MonkeyPatch) -> None:
    colours.setenv(name, value)
    assert paint("run", "heading", Terminal()) == "run"


def test_a_file_gets_none(colours: pytest.MonkeyPatch) -> None:
    assert paint("run", "heading", io.StringIO()) == "run"


def test_a_table_has_the_same_text_with_and_without_colour(tmp_path: Path) -> None:
    toy_search(tmp_path / "run", budget=8)
    plain = in_terminal(80, "trials", str(tmp_path / "run"))
    painted = in_terminal(80, "trials", str(tmp_path / "run"), colour=True)
    assert "\x1b" not in plain and painted.startswith("\x1b[1m")
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"):
        painted = painted.replace(code, "")
    assert painted == plain
    assert "\x1b" not in denas_here("trials", str(tmp_path / "run")).stdout


def test_help_has_headings_in_a_terminal() -> None:
    assert "\x1b[1mOptions:\x1b[0m" in in_terminal(80, "search", "--help", colour=True)
    assert "\x1b" not in in_terminal(80, "search", "--help")


def test_the_next_step_names_the_data_of_the_search(tmp_path: Path) -> None:
    done = denas_here(
        "search", "toy/stairs", "--score", "toy/both", "-b", "3", "-q", "-o", str(tmp_path / "run")
    )
    assert f"denas train {tmp_path / 'run'} --data DATA" in done.stdout
