"""``denas data describe`` as a user meets it, and the group that plugins add commands to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_core.cli import _run
from denas_core.registry.registry import Registry
from tests.core.building.conftest import without_texts as without_texts
from tests.core.cli.test_plugin_commands import Add
from tests.core.cli.test_plugin_commands import add as add
from tests.core.toy_searches import denas_here
from tests.core.training.conftest import installed as installed
from tests.core.training.conftest import points as points


def test_the_task_that_recognises_data_says_what_they_are(points: Path) -> None:
    done = denas_here("data", "describe", str(points))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "format    points with a side"
    assert lines[1] == "task      points/side"
    assert lines[2] == "samples   train 120, valid 40"
    assert "spaces    points/deep" in lines and "note      lines without text are not read" in lines
    assert max(map(len, lines[:-1])) <= 80
    found = json.loads(denas_here("data", "describe", str(points), "--json").stdout)
    assert found["schema"] == "denas.data/1"
    (one,) = [row for row in found["tasks"] if row["task"] == "points/side"]
    assert one["labels"] == {"0": one["labels"]["0"], "1": one["labels"]["1"]}
    assert sum(one["labels"].values()) == 160


def test_options_reach_the_tasks_that_have_them(points: Path) -> None:
    # Only one of the installed tasks has this option, and no task is named.
    given = ["data", "describe", str(points), "--set"]
    done = denas_here(*given, "task.valid_share=0.25")
    assert done.returncode == 0, done.stderr
    refused = denas_here(*given, "task.nothing=1")
    assert (refused.returncode, refused.stderr) == (2, "error: no installed task has an option 'nothing'\n")
    other = denas_here(*given, "training.epochs=1")
    assert other.returncode == 2 and "only keys of the task can be set here" in other.stderr


def test_at_most_ten_labels_are_printed(tmp_path: Path) -> None:
    path = tmp_path / "many.txt"
    path.write_text("\n".join(f"0 0 {n}" for n in range(25)) + "\n")
    lines = denas_here("data", "describe", str(path), "--task", "points/side").stdout.splitlines()
    start = lines.index("labels    25")
    assert lines[start + 11] == "          and 15 more"


def test_data_that_the_only_task_would_refuse_end_in_its_error(tmp_path: Path) -> None:
    path = tmp_path / "points.txt"
    path.write_text("0.5 0.5 -1\n")
    done = denas_here("data", "describe", str(path), "--task", "points/side")
    assert (done.returncode, done.stderr) == (2, f"error: {str(path)!r} has a point without a side\n")
    as_json = denas_here("data", "describe", str(path), "--task", "points/side", "--json")
    assert as_json.returncode == 2
    assert json.loads(as_json.stdout)["tasks"][0]["fault"] == f"{str(path)!r} has a point without a side"


def test_data_that_nobody_recognises_are_one_line_with_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.bin").write_bytes(b"\0\1\2")
    plugins = [plugin for plugin in Registry.discover().plugins if plugin.name in ("builtin", "points")]
    monkeypatch.setattr(Registry, "discover", lambda: Registry(plugins))
    done = denas_here("data", "describe", str(tmp_path / "rows.bin"))
    assert (done.returncode, done.stderr) == (
        2,
        f"error: no installed task recognises {str(tmp_path / 'rows.bin')!r}; installed tasks read what 'points/side' "
        "reads; other data: pip install denas-asr (for speech), pip install denas-cv (for images), pip install "
        "denas-nlp (for texts)\n",
    )
    gone = denas_here("data", "describe", str(tmp_path / "gone"))
    assert gone.stderr == (
        f"error: there is nothing at {str(tmp_path / 'gone')!r}; give the file or folder of the data\n"
    )
    missing = denas_here("data", "check")
    assert missing.returncode == 2 and "needs the plugin 'asr', which is not installed" in missing.stderr


def test_plugins_add_commands_to_the_group_and_take_none_of_its_own(
    add: Add, capsys: pytest.CaptureFixture[str]
) -> None:
    code = """
        import typer
        from denas_core.hookspecs import hookimpl

        @hookimpl
        def denas_add_commands(app):
            group = typer.Typer()
            app.add_typer(group, name="data")

            @group.command("{name}")
            def weigh(at: int) -> None:
                '''Weigh data.'''
                print("weighed", 1 // at)

            @group.command("other")
            def other() -> None:
                '''Do nothing.'''
    """
    add("scales", code.format(name="weigh"))
    assert denas_here("data", "weigh", "1").stdout == "weighed 1\n"
    assert "Weigh data." in denas_here("data", "--help").stdout
    assert denas_here("data", "weigh", "0").stderr == (
        "error: command 'data weigh' of denas-scales 1.0 failed: ZeroDivisionError: integer division or modulo by "
        "zero\n"
    )
    add("rude", code.format(name="describe"))
    capsys.readouterr()
    assert _run(["plugins", "--json"], debug=False) == 0
    (row,) = [one for one in json.loads(capsys.readouterr().out)["plugins"] if one["name"] == "rude"]
    assert row["reason"].endswith("adds a command 'data describe', which DE-NAS already has; rename it")
