"""The import order of the core and other promises about the source, by reading it."""

from __future__ import annotations

import ast
import importlib
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from .imports import CORE, PLUGINS, PRODUCT, ROOT, arrows, circles, imports, is_of, module_of

ORDER = (
    ("text", "seeding", "version", "hookspecs"),
    ("errors",),
    ("values", "system", "isolation"),
    ("networks", "passes", "pretrained", "runs", "timing", "workers"),
    ("contracts", "tracking"),
    ("latency",),
    ("registry", "evaluation"),
    ("setup", "models"),
    ("study", "training", "results", "builtin", "legacy", "scaffold", "spaces"),
    ("racing",),
    ("report", "testing", "progress"),
    ("agreement",),
    ("launch", "actions"),
    ("building",),
    ("cli",),
)
"""The parts of the core: each imports those above it in this list, and none beside or below it."""

FLOOR = {part: floor for floor, parts in enumerate(ORDER) for part in parts}
MOST_MODULES = 10
SOURCES = sorted(
    path
    for folder in ("denas_core", "plugins", "tests", "benchmarks", "examples")
    for path in (ROOT / folder).rglob("*.py")
    if not {"build", "dist"} & set(path.parts)
)
HEAVY = ("torch", "numpy", "transformers", "pydantic", "yaml", "PIL", "rich")
MAX_LINES = 350
# Spelled in two halves, or this file would hold them.
FORBIDDEN = ("TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK:")


def part_of(module: str) -> str:
    """Return the part of the core that a module is or lies in; empty for the face of the core."""
    return module.partition(".")[2].partition(".")[0]


def test_every_part_of_the_core_has_its_place_in_the_order() -> None:
    parts = {path.stem for path in CORE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert parts - {"__init__"} == FLOOR.keys()


def imports_of_lower_parts(path: Path) -> list[str]:
    """Return the modules that a module of the core imports of parts that are not above its own."""
    own = part_of(module_of(path))
    parts = {module: part_of(module) for module in imports(path) if is_of(module, "denas_core")}
    return [
        module
        for module, part in parts.items()
        if own and part in FLOOR.keys() - {own} and FLOOR[part] >= FLOOR[own]
    ]


def test_a_module_imports_only_parts_above_its_own() -> None:
    found = {module_of(path): imports_of_lower_parts(path) for path in CORE.rglob("*.py")}
    assert len(found) > 300
    assert not {name: modules for name, modules in found.items() if modules}


def test_no_imports_run_in_a_circle() -> None:
    assert circles(arrows()) == []


def test_the_core_has_few_modules_beside_its_packages() -> None:
    assert len(list(CORE.glob("*.py"))) <= MOST_MODULES


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_imports_the_core_itself_and_public_names_of_plugins_that_it_requires(plugin: Path) -> None:
    others = {other.name for other in PLUGINS} - {plugin.name}
    project = tomllib.loads((plugin.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {Requirement(line).name.replace("-", "_") for line in project["dependencies"]} & others
    public = {
        f"{package}.{name}"
        for package in required
        for name in getattr(importlib.import_module(package), "__all__", ())
    }
    for path in plugin.rglob("*.py"):
        for module in imports(path):
            is_allowed = module.partition(".")[0] not in others or module in required | public
            assert is_allowed, f"{path.relative_to(ROOT)} imports {module}"


def test_the_core_imports_no_plugin() -> None:
    for path in CORE.rglob("*.py"):
        for module in imports(path):
            owner = module.partition(".")[0]
            is_plugin = owner.startswith("denas_") and owner != "denas_core"
            assert not is_plugin, f"{path.relative_to(ROOT)} imports {module}"


def test_what_shows_a_report_computes_nothing() -> None:
    for name in ("html", "table"):
        for module in imports(CORE / "report" / "page" / f"{name}.py"):
            assert not is_of(module, "denas_core.report.sections"), module
            assert not is_of(module, "denas_core.report.gather"), module


def test_only_commands_import_the_command_line() -> None:
    for path in PRODUCT:
        if CORE / "cli" not in path.parents and "commands" not in path.parts:
            for module in imports(path):
                assert not is_of(module, "denas_core.cli"), f"{path.relative_to(ROOT)} imports {module}"


def test_help_and_plugins_load_nothing_heavy() -> None:
    by_name = {module_of(path): path for path in PRODUCT}
    starts = ["denas_core.cli.app", "denas_core.registry.registry", "denas_core.builtin.plugin"]
    # The application loads them by name.
    starts += [name for name in by_name if name.startswith("denas_core.cli.commands.")]
    waiting = [*starts, *(f"{plugin.name}.plugin" for plugin in PLUGINS)]
    loaded: set[str] = set()
    while waiting:
        name = waiting.pop()
        # Importing a module imports the packages that it lies in.
        for known in {
            ".".join(name.split(".")[: i + 1]) for i in range(name.count(".") + 1)
        } & by_name.keys():
            if known not in loaded:
                loaded.add(known)
                waiting += imports(by_name[known], at_import=True)
    assert len(loaded) > 15
    for name in loaded:
        heavy = {
            module for module in imports(by_name[name], at_import=True) if module.partition(".")[0] in HEAVY
        }
        assert not heavy, f"{name} imports {', '.join(heavy)} when it is loaded"


def test_modules_have_a_docstring() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in PRODUCT}
    without = [path for path, tree in trees.items() if tree.body and not ast.get_docstring(tree)]
    assert not [path.relative_to(ROOT).as_posix() for path in without]


def test_no_file_is_long_or_unfinished() -> None:
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in SOURCES}
    lines = {name: text.count("\n") for name, text in texts.items()}
    assert not {name: count for name, count in lines.items() if count > MAX_LINES}
    assert not [(name, word) for name, text in texts.items() for word in FORBIDDEN if word in text]


def test_no_document_is_unfinished() -> None:
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/*.md")):
        assert not [word for word in (*FORBIDDEN, "@@") if word in path.read_text(encoding="utf-8")], path
