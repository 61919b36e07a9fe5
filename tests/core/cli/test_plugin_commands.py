"""Commands of plugins: they stand in the help, run, and harm nobody when they are broken."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from denas_core.cli import _run
from denas_core.cli.doctor_imports import examine_plugins
from denas_core.registry.loading import installed_points
from denas_core.registry.registry import Registry

Add = Callable[[str, str], None]

GREET = """
    from denas_core.errors import NoResult
    from denas_core.hookspecs import hookimpl

    @hookimpl
    def denas_add_commands(app):
        import typer

        @app.command("greet")
        def greet(name: str, times: int = typer.Option(1, "--times", min=1)) -> None:
            '''Say hello to somebody.'''
            if name == "nobody":
                raise NoResult("nobody is there")
            if name == "fault":
                raise KeyError("who")
            if name == "exit":
                raise typer.Exit(5)
            if name == "usage":
                raise typer.BadParameter("no such name")
            print(f"hello {name} " * times)

        group = typer.Typer(rich_markup_mode=None, help="Things to look at.")
        app.add_typer(group, name="things")

        @group.command("look")
        def look(at: str) -> None:
            '''Look at a thing.'''
            1 / int(at)

        @group.command("list")
        def list_() -> None:
            '''List the things.'''
            print("one, two")
"""


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Add]:
    """Return a function that installs a plugin beside those that are there."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(name: str, code: str) -> None:
        module = f"{name}_in_test"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))
        folder = tmp_path / f"denas_{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: denas-{name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[denas]\n{name} = {module}\n")

    yield write
    for name in set(sys.modules) - before:
        if name.endswith("_in_test"):
            del sys.modules[name]


def row(name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return what ``denas plugins --json`` says of a plugin."""
    capsys.readouterr()
    assert _run(["plugins", "--json"], debug=False) == 0
    (found,) = [each for each in json.loads(capsys.readouterr().out)["plugins"] if each["name"] == name]
    assert isinstance(found, dict)
    return found


def test_a_command_of_a_plugin_stands_in_the_help_behind_the_core_and_runs(
    add: Add, capsys: pytest.CaptureFixture[str]
) -> None:
    add("greeter", GREET)
    assert _run(["--help"], debug=False) == 0
    lines = capsys.readouterr().out.splitlines()
    places = [
        next(i for i, line in enumerate(lines) if line.split()[:1] == [name])
        for name in ("search", "doctor", "greet", "things")
    ]
    assert places == sorted(places)
    assert _run(["greet", "you", "--times", "2"], debug=False) == 0
    assert _run(["things", "list"], debug=False) == 0
    assert capsys.readouterr().out.split() == ["hello", "you", "hello", "you", "one,", "two"]
    assert row("greeter", capsys)["commands"] == ["greet", "things"]
    assert _run(["greet", "--help"], debug=False) == 0
    assert "Say hello to somebody." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["greet", "nobody"], 1, "error: nobody is there\n"),
        (["greet", "exit"], 5, ""),
        (
            ["greet", "you", "--times", "0"],
            2,
            "error: Invalid value for '--times': ",
        ),
        (["greet", "usage"], 2, "no such name; see 'denas greet --help'\n"),
        (["greet", "fault"], 3, "error: command 'greet' of denas-greeter 1.0 failed: KeyError: 'who'\n"),
        (
            ["things", "look", "0"],
            3,
            "error: command 'things look' of denas-greeter 1.0 failed: ZeroDivisionError: division by zero\n",
        ),
        (["gret", "you"], 2, "error: No such command 'gret'. Did you mean 'greet'"),
    ],
)
def test_what_goes_wrong_in_a_command_is_one_line(
    add: Add, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    add("greeter", GREET)
    assert _run(arguments, debug=False) == code
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == (1 if message else 0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("1 / 0", "denas_add_commands() of denas-bad 1.0 failed: ZeroDivisionError: division by zero"),
        (
            "app.command('search')(lambda: None)",
            "denas_add_commands() of denas-bad 1.0 adds a command 'search', which DE-NAS already has; rename it",
        ),
        (
            "app.command('Über all')(lambda: None)",
            "denas_add_commands() of denas-bad 1.0 adds a command 'Über all'; use lower-case letters, digits and "
            "hyphens",
        ),
        ("app.command('look')(lambda x: None)", "denas_add_commands() of denas-bad 1.0 failed: "),
    ],
)
def test_a_plugin_whose_commands_cannot_be_added_is_a_row_and_stops_nobody(
    add: Add, capsys: pytest.CaptureFixture[str], body: str, reason: str
) -> None:
    hook = f"@hookimpl\ndef denas_add_commands(app):\n    def f(x: int | str): pass\n    {body}\n"
    add("bad", "from denas_core.hookspecs import hookimpl\n\n" + hook.replace("lambda x: None", "f"))
    add("greeter", GREET)
    found = row("bad", capsys)
    assert (found["status"], found["commands"]) == ("broken", [])
    assert found["reason"].startswith(reason)
    assert _run(["--help"], debug=False) == 0
    assert "greet" in capsys.readouterr().out
    assert _run(["greet", "you"], debug=False) == 0
    assert _run(["misspelt"], debug=False) == 2
    assert f"note: plugin 'bad' adds no commands: {reason}" in capsys.readouterr().err


def test_a_command_that_two_plugins_add_is_used_of_neither(
    add: Add, capsys: pytest.CaptureFixture[str]
) -> None:
    add("greeter", GREET)
    add("other", GREET)
    assert row("other", capsys)["status"] == row("greeter", capsys)["status"] == "broken"
    assert _run(["greet", "you"], debug=False) == 2
    assert "is added by greeter and other" in capsys.readouterr().err


def test_doctor_tells_of_commands_that_do_not_load(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    # It would import the plugins of this repository, which takes seconds.
    monkeypatch.setenv("DENAS_DISABLE_PLUGINS", ",".join(point.name for point in installed_points()[0]))
    add(
        "bad",
        "from denas_core.hookspecs import hookimpl\n\n@hookimpl\ndef denas_add_commands(app):\n    1 / 0\n",
    )
    (found,) = [each for each in examine_plugins() if each["name"] == "bad"]
    assert "division by zero" in found["faults"]["commands of bad"]


def test_a_command_of_an_official_plugin_that_is_missing_comes_with_its_pip_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("denas_core.cli.plugin_commands.COMMANDS", {"sing": "asr"})
    monkeypatch.setattr(Registry, "discover", lambda: Registry([]))
    assert _run(["sing", "x.flac"], debug=False) == 2
    assert capsys.readouterr().err == (
        "error: command 'sing' needs the plugin 'asr', which is not installed; "
        "install it with: pip install denas-asr\n"
    )


def test_a_command_of_a_plugin_that_is_switched_off_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("denas_asr")
    monkeypatch.setattr("denas_core.cli.plugin_commands.COMMANDS", {"sing": "asr"})
    monkeypatch.setenv("DENAS_DISABLE_PLUGINS", "asr")
    assert _run(["sing", "x.flac"], debug=False) == 3
    assert "is disabled: named in DENAS_DISABLE_PLUGINS" in capsys.readouterr().err
