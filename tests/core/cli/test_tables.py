"""Tables in terminals of 80 and 40 columns."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from denas_core.cli.columns import Column, break_lines, choose_columns, column_widths, draw_table
from tests.core.cli.terminals import in_terminal
from tests.core.toy_searches import denas_here, toy_search


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two runs that have scored, failed and infeasible trials."""
    path = tmp_path_factory.mktemp("tables")
    for name in ("first", "second"):
        toy_search(path / name, score={"name": "toy/both", "failing": 5}, budget=30)
    return path


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize(
    "arguments",
    [
        ("trials", "first"),
        ("rank", "first"),
        ("report", "first"),
        ("compare", "first", "second"),
        ("run", "ls", "."),
        ("plugins",),
        ("show", "toy/stairs"),
        ("latency", "first", "--probe", "toy/ruler"),
        ("score", "first", "--probe", "toy/ruler"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_table_fits_and_breaks_no_key_name_or_number(
    folder: Path, width: int, arguments: tuple[str, ...]
) -> None:
    shown = in_terminal(width, *arguments, cwd=folder)
    whole = set(re.findall(r"\S+", denas_here(*arguments, cwd=folder).stdout))
    lines = shown.split("next:\n")[0].splitlines()
    assert max(map(len, lines)) <= width
    # The notation of an architecture is a single word, longer than any line.
    lines = [line for line in lines if not line.startswith("{") and not line.endswith("}")]
    known = {word.strip(",.;:()") for word in whole} | {
        "left",
        "out",
        "too",
        "wide",
        "here",
        "see",
        "page",
        "the",
    }
    known |= {"or", "--json", "--columns", "all"}
    for word in " ".join(lines).split():
        is_rule = set(word) == {"─"}
        is_measured = arguments[0] in ("latency", "score", "run") and re.fullmatch(r"[\d.e\[\],-]+", word)
        assert is_rule or is_measured or word.strip(",.;:()") in known, word


def test_the_least_important_columns_are_left_out_and_named(folder: Path) -> None:
    at_80, at_40 = (in_terminal(width, "trials", "first", cwd=folder) for width in (80, 40))
    assert at_80.splitlines()[0].split() == [
        "#",
        "key",
        "state",
        "height",
        "slope",
        "params",
        "flops",
        "reason",
    ]
    assert "left out, too wide here: seconds; see --columns all, or --json" in at_80
    assert at_40.splitlines()[0].split()[:3] == ["#", "key", "state"]
    left_out = at_40.partition("left out, too wide here: ")[2].partition(";")[0]
    assert {"seconds", "flops"} <= set(re.split(r",\s+", left_out))


def test_columns_that_are_chosen_are_printed_however_wide(folder: Path) -> None:
    shown = in_terminal(40, "trials", "first", "--columns", "key,reason,seconds", cwd=folder)
    assert shown.splitlines()[0].split() == ["key", "reason", "seconds"]
    assert "left out" not in shown
    everything = in_terminal(40, "rank", "first", "--columns", "all", cwd=folder).splitlines()[0].split()
    assert everything == ["#", "key", "score*", "height", "slope", "params", "flops"]


def test_an_unknown_column_is_refused_with_those_there_are(folder: Path) -> None:
    done = denas_here("rank", "first", "--columns", "keys", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: --columns 'keys': there is no column 'keys'; did you mean 'key'?; there are #, key, score*, height, "
        "slope, params, flops, and 'all' stands for all of them\n"
    )


def test_a_comparison_that_does_not_fit_goes_on_below(folder: Path) -> None:
    shown = in_terminal(40, "compare", "first", "second", cwd=folder)
    for run in ("first", "second"):
        assert re.search(rf"^quantity +(\S+ +)?{run}", shown, re.MULTILINE)
    assert shown.count("toy/stairs") == 2


def test_a_pipe_gets_every_column(folder: Path) -> None:
    lines = denas_here("trials", "first", cwd=folder).stdout.splitlines()
    assert lines[0].split() == [
        "#",
        "key",
        "state",
        "height",
        "slope",
        "params",
        "flops",
        "seconds",
        "reason",
    ]
    assert len(lines) == 2 + len(
        json.loads(denas_here("trials", "first", "--json", cwd=folder).stdout)["trials"]
    )


def test_a_column_of_prose_shrinks_before_another_is_left_out() -> None:
    columns = [
        Column(name="name", cells=["a" * 20]),
        Column(name="help", cells=["word " * 20], is_prose=True),
        Column(name="size", cells=["123.4k"]),
    ]
    assert choose_columns(columns, 60) == (columns, [])
    assert column_widths(columns, 60) == [20, 30, 6]
    assert choose_columns(columns, 45)[1] == ["size"]
    assert choose_columns(columns, 45, least=["help"])[1] == ["help"]
    assert choose_columns(columns, 10)[0] == columns[:1]


def test_wide_characters_take_two_cells() -> None:
    columns = [Column(name="a", cells=["日本", "x"]), Column(name="b", cells=["1", "2"])]
    assert draw_table(columns, 80, rule="-") == ["a     b", "-------", "日本  1", "x     2"]


def test_lines_break_between_words_and_long_words_within() -> None:
    assert break_lines("one two three", 7) == ["one two", "three"]
    assert break_lines("abcdefgh ij", 4) == ["abcd", "efgh", "ij"]
    assert break_lines("  kept as it is", 40) == ["  kept as it is"]
