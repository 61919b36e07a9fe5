"""A plugin of this project is its folder; where a list must name it, the test gives the line to add."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from denas_core.cli.plugin_commands import by_full_name
from denas_core.registry.official import COMMANDS, DATA, PLUGINS

from .environments import PROJECTS, ROOT
from .imports import PRODUCT

FOLDERS = {name: folder for name, folder in PROJECTS.items() if folder != ROOT}
NAMES = {name.removeprefix("denas-") for name in FOLDERS}


def facts(project: Path) -> dict[str, object]:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_package_and_entry_point_have_the_name_of_the_distribution(name: str) -> None:
    package = name.replace("-", "_")
    points = facts(FOLDERS[name])["entry-points"]["denas"]  # type: ignore[index]
    assert FOLDERS[name].name == package
    assert points == {name.removeprefix("denas-"): f"{package}.plugin"}


def test_the_hint_on_what_to_install_knows_every_plugin_and_no_other() -> None:
    names = ", ".join(f'"{name}"' for name in sorted(NAMES))
    assert PLUGINS == NAMES, f"in denas_core/registry/official.py: PLUGINS = frozenset({{{names}}})"


def test_the_hint_on_what_to_install_knows_every_command_of_a_plugin() -> None:
    found: dict[str, str] = {}
    for name in sorted(NAMES):
        add = getattr(importlib.import_module(f"denas_{name}.plugin"), "denas_add_commands", None)
        if add is not None:
            app = typer.Typer()
            app.command("left-alone")(lambda: None)
            add(app)
            group = typer.main.get_command(app)
            own = {key: command for key, command in group.commands.items() if key != "left-alone"}  # type: ignore[attr-defined]
            found |= dict.fromkeys(by_full_name(own), name)
    assert dict(COMMANDS) == found, (
        f"in denas_core/registry/official.py: COMMANDS = MappingProxyType({found})"
    )


def test_the_hint_on_data_knows_every_plugin_with_a_task_and_no_other() -> None:
    modules = {name: importlib.import_module(f"denas_{name}.plugin") for name in NAMES}
    assert DATA.keys() == {name for name, module in modules.items() if hasattr(module, "denas_tasks")}


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=lambda folder: folder.name)
def test_everything_for_development_installs_every_plugin(folder: Path) -> None:
    line = f"-e {folder.relative_to(ROOT).as_posix()}"
    texts = [
        (ROOT / file).read_text(encoding="utf-8") for file in ("requirements.txt", "requirements-dev.txt")
    ]
    assert re.search(rf"^{re.escape(line)}(\[.*\])?$", "\n".join(texts), re.MULTILINE), (
        f"add to requirements-dev.txt: {line}"
    )


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=lambda folder: folder.name)
def test_the_map_of_the_repository_names_every_plugin(folder: Path) -> None:
    line = f"{folder.relative_to(ROOT).as_posix()}/"
    description = facts(folder)["description"]
    assert f"\n{line}" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), (
        f"add to the map in CONTRIBUTING.md: {line}  {description}"
    )


@pytest.mark.parametrize("name", PROJECTS)
def test_continuous_integration_pins_what_a_distribution_requires(name: str) -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {canonicalize_name(found) for found in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    lines = facts(PROJECTS[name]).get("dependencies", [])
    required = {canonicalize_name(Requirement(line).name) for line in lines}  # type: ignore[attr-defined]
    missing = sorted(required - pinned - PROJECTS.keys())
    assert not missing, f"add to constraints.txt a line NAME==VERSION for {', '.join(missing)}"


def test_texts_name_no_distribution_that_does_not_exist() -> None:
    # Those of the examples that 'denas new-plugin' and the documents make are nobody's.
    known = PROJECTS.keys() | {"denas-zen", "denas-hello", "denas-doctor", "denas-bert"}
    for path in PRODUCT:
        named = set(re.findall(r"(?<![\w./-])denas-[a-z]+\b", path.read_text(encoding="utf-8")))
        assert named <= known, f"{path.relative_to(ROOT)} names {', '.join(sorted(named - known))}"
