"""Help without an error, in every way in which people ask for it; and the table of commands behind it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import denas_core.cli
from denas_core.cli import _run
from denas_core.cli.table import COMMANDS, GROUPS, NAMES
from tests.core.cli.terminals import in_terminal
from tests.core.toy_searches import denas, denas_here, toy_search

CLI = Path(denas_core.cli.__file__).parent


@pytest.mark.parametrize("group", [[], ["run"], ["config"]], ids=" ".join)
def test_a_group_alone_prints_its_help(group: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for arguments in (group, [*group, "-h"], [*group, "--help"]):
        assert _run(arguments, debug=False) == 0
        printed.append(capsys.readouterr())
    assert {each.err for each in printed} == {""}
    assert len({each.out.strip() for each in printed}) == 1
    assert printed[0].out.startswith(f"Usage: {' '.join(['denas', *group])} [OPTIONS] COMMAND")


@pytest.mark.parametrize("name", [*COMMANDS, "run ls", "run rm", "config show", "config import"])
def test_every_command_takes_the_short_option(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run([*name.split(), "-h"], debug=False) == 0
    assert capsys.readouterr().out.startswith(f"Usage: denas {name} ")


def test_the_help_shows_whole_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run([], debug=False) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in NAMES:
        (line,) = [line for line in lines if re.match(rf"  {name} ", line)]
        assert line.endswith(".") and not line.endswith("..."), line


@pytest.mark.parametrize("name", ["", *NAMES, "run ls", "config import"])
def test_a_narrow_terminal_breaks_no_word_of_the_help(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = []
    for columns in ("40", "80"):
        monkeypatch.setenv("COLUMNS", columns)
        assert _run([*name.split(), "-h"], debug=False) == 0
        pages.append(capsys.readouterr().out)
    assert max(map(len, pages[0].splitlines())) <= 40
    assert pages[0].split() == pages[1].split()
    assert "..." not in pages[0].partition("Commands:")[2]


def test_an_error_of_usage_names_the_help_of_its_command() -> None:
    done = denas_here("trials")
    assert done.returncode == 2
    assert done.stderr == "error: Missing argument 'RUN'; see 'denas trials --help'\n"


@pytest.mark.parametrize("command", ["--help", "plugins"])
def test_help_and_plugins_load_nothing_heavy(command: str) -> None:
    done = denas(command, PYTHONPROFILEIMPORTTIME="1")
    loaded = set(re.findall(r"\| +([a-z_][\w.]*)$", done.stderr, re.MULTILINE))
    assert "typer" in loaded
    assert not loaded & {"torch", "yaml", "numpy", "transformers"}
    # Typer loads pydantic to read options, and older versions of Typer load rich.
    if command == "--help":
        assert "pydantic" not in loaded
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import typer"], capture_output=True, text=True, check=True
    )
    assert "rich" not in loaded or "rich" in re.findall(r"\| +(\w+)$", done.stderr, re.MULTILINE)
    assert "denas_core.registry.options" not in loaded


def test_next_commands_stand_one_a_line_and_run_as_they_are(tmp_path: Path) -> None:
    options = ("--score", "toy/both", "--device", "cpu", "--budget", "3", "-o", "a run")
    shown = in_terminal(40, "search", "toy/stairs", *options, cwd=tmp_path)
    commands = shown.partition("next:\n")[2].splitlines()
    assert commands == [
        "  denas report 'a run' --confidence",
        "  denas trials 'a run'",
        "  denas rank 'a run' --weights height=2",
        "  denas train 'a run' --top 6 --also random:2 --also largest --data DATA",
        "  denas train 'a run' --data DATA",
        "  denas latency 'a run'",
    ]


def test_no_two_modules_of_the_command_line_import_each_other() -> None:
    """Imports for types and those in functions count too."""
    modules = {
        path.relative_to(CLI).with_suffix("").as_posix().replace("/", "."): path for path in CLI.rglob("*.py")
    }
    graph = {name: _imported(path, name) & modules.keys() for name, path in modules.items()}
    while leaves := [name for name, others in graph.items() if not others & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph


def test_the_table_knows_every_command_module() -> None:
    named = {reference.partition(":")[0] for reference in (*COMMANDS.values(), *GROUPS.values())}
    files = {path.stem for path in (CLI / "commands").glob("*.py")} - {"__init__"}
    assert files - named == {"importing", "latency_measure"}


def test_score_and_latency_take_a_run(tmp_path: Path) -> None:
    import json

    toy_search(tmp_path / "run", budget=20, seed=5, score={"name": "toy/both", "weights": {"slope": 0.5}})
    found = json.loads((tmp_path / "run" / "result.json").read_text())
    best, other = found["best"], found["front"][-1]
    arguments = ("--probe", "toy/ruler", "--json")
    for given, row in (((), best), (("--arch", other["key"][:8]), other)):
        scored = json.loads(denas_here("score", "run", *given, *arguments, cwd=tmp_path).stdout)
        assert (scored["key"], scored["seed"], scored["components"]) == (row["key"], 5, row["components"])
        measured = json.loads(denas_here("latency", "run", *given, *arguments, cwd=tmp_path).stdout)
        assert (measured["key"], measured["probe"]) == (row["key"], "toy/ruler")
    shown = denas_here("config", "show", "run", "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["seed"] == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "toy/stairs"], "no architecture is named; name one with --arch, or name a run instead of a space"),
        (["latency", "runs/none"], "there is no run directory 'runs/none'; 'denas run ls' lists"),
        (["score", "runs"], "'runs' is not a run directory; 'denas search' makes one"),
        (["score", "run", "--arch", "ffffffffffffff"], "no trial of run 'run' has a key that begins with 'ffff"),
        (["score", "run", "--config", "run"], "--config and run 'run' exclude each other"),
    ],
)  # fmt: skip
def test_what_is_no_run_is_said_in_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "runs").mkdir()
    toy_search(tmp_path / "run", budget=5)
    done = denas_here(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"error: {message}")


def test_components_of_a_search_have_options(tmp_path: Path) -> None:
    done = denas_here(
        *("search", "toy/stairs", "--score", "toy/height", "--strategy", "builtin/random", "--budget", "3"),
        *("--probe", "toy/ruler", "--executor", "toy/shuffled", "-c", "latency<100ms", "-o", "run", "--json"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "run" / "config.yaml").read_text()
    for name in ("toy/height", "builtin/random", "toy/ruler", "toy/shuffled"):
        assert f"name: {name}\n" in text


def _imported(path: Path, name: str) -> set[str]:
    package = ["denas_core", "cli", *name.split(".")[:-1]]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            base += node.module.split(".") if node.module else []
            found |= {".".join(base), *(".".join([*base, alias.name]) for alias in node.names)}
    return {
        module.removeprefix("denas_core.cli.") for module in found if module.startswith("denas_core.cli.")
    }
