"""The page for plugin authors, followed from its first line to its last as a newcomer would."""

from __future__ import annotations

import ast
import dataclasses
import re
import shlex
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from denas_core.values.passes import PassSpec, Trace

from .documents import ROOT, blocks, commands
from .installing import denas, install, run

PAGE = ROOT / "docs/writing-plugins.md"


def files() -> dict[str, str]:
    return {
        str(block.file): block.text
        for language in ("toml", "python")
        for block in blocks(PAGE, language)
        if block.file
    }


@pytest.mark.parametrize(
    ("module", "limit"), [("denas-snip/denas_snip.py", 20), ("denas-signals/denas_signals.py", 40)]
)
def test_a_score_takes_20_lines_and_a_space_40(module: str, limit: int) -> None:
    lines = [line for line in files()[module].splitlines()[1:] if line.strip()]
    assert len(lines) <= limit


@pytest.mark.parametrize("name", ["Reuse", "Patterns", "GradientGain", "Sensitivity"])
def test_a_score_of_each_kind_takes_20_lines(name: str) -> None:
    (score,) = [block.text for block in blocks(PAGE, "python") if f"class {name}(ProxyScore)" in block.text]
    assert len(score.splitlines()) <= 20


@pytest.mark.parametrize(("heading", "cls"), [("| field |", PassSpec), ("| attribute |", Trace)])
def test_the_tables_name_every_field(heading: str, cls: Any) -> None:
    table = PAGE.read_text(encoding="utf-8").partition(heading)[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [
        field.name for field in dataclasses.fields(cls)
    ]


@pytest.mark.parametrize("field", dataclasses.fields(PassSpec), ids=lambda field: field.name)
def test_the_table_of_passes_has_the_values_and_the_default(field: Any) -> None:
    text = PAGE.read_text(encoding="utf-8").partition("| field |")[2].partition("\n\n")[0]
    (values,) = re.findall(rf"^\| `{field.name}` \| ([^|]*) \|", text, re.MULTILINE)
    annotation = get_type_hints(PassSpec)[field.name]
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    found = [ast.literal_eval(value.strip("` ")) for value in values.split(",")]
    assert found[0] == field.default
    assert not choices or set(found) == set(choices)


@pytest.mark.slow
def test_every_command_of_the_page_works_in_order(tmp_path: Path) -> None:
    desk, site, build = (tmp_path / name for name in ("desk", "site", "build"))
    for folder in (desk, site, build):
        folder.mkdir()
    for name, text in files().items():
        path = desk / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    done = []
    for block in blocks(PAGE, "console"):
        for command in commands(block):
            match shlex.split(command.line):
                case ["pip", "install", "-e", folder]:
                    install(desk / folder, site, build=build)
                case ["pip", "install", "denas-core[testing]"]:
                    pass  # what it brings is here already, since this is a test
                case ["pytest", *arguments]:
                    assert "passed" in run("-m", "pytest", "-q", *arguments, site=site, cwd=desk)
                case ["denas", *arguments]:
                    denas(*arguments, site=site, cwd=desk)
                case _:
                    pytest.fail(f"the page has a command that this test does not know: {command.line}")
            done.append(command.line)
    assert len(done) >= 12
    assert (desk / "denas-mine/denas_mine/probe.py").exists()
