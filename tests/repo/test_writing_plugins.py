"""The page for plugin authors, followed from its first line to its last as a newcomer would."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

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
