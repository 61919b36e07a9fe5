"""The layer rule and other promises about the source, by reading it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "denas_core"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/*/plugin.py"))
PRODUCT = sorted([*CORE.rglob("*.py"), *ROOT.glob("plugins/*/*/**/*.py")])
SOURCES = sorted(
    path
    for folder in ("denas_core", "plugins", "tests", "benchmarks", "examples")
    for path in (ROOT / folder).rglob("*.py")
    if not {"build", "dist"} & set(path.parts)
)

CONTRACTS = (
    *(
        "architecture",
        "batch",
        "component",
        "errors",
        "executor",
        "latency",
        "passes",
        "record",
        "score",
        "seeding",
    ),
    *("space", "strategy", "trial", "views"),
)
ABOVE_CONTRACTS = (
    "study",
    "store",
    "launch",
    "report",
    "config",
    "cli",
    "run_directory",
    "setup",
    "result",
    "registry",
)
HEAVY = ("torch", "numpy", "transformers", "pydantic", "yaml", "PIL", "rich")
MAX_LINES = 350
# Spelled in two halves, or this file would hold them.
FORBIDDEN = ("TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK:")


def module_of(path: Path) -> str:
    """Return the dotted name of a module of the core or a plugin."""
    base = CORE.parent if CORE in path.parents else next(p.parent for p in PLUGINS if p in path.parents)
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path, *, at_import: bool = False) -> frozenset[str]:
    """Return the modules that a file imports, anywhere, or only those that importing the file runs."""
    module = module_of(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return frozenset(imported_names(ast.parse(path.read_text(encoding="utf-8")), package, at_import))


def imported_names(node: ast.AST, package: str, at_import: bool) -> Iterator[str]:
    """Yield what the code below `node`, a module of `package`, imports; `at_import` leaves out functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                above = package.split(".")[: len(package.split(".")) - child.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in child.names)
        elif at_import and (
            isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or _is_for_types(child)
        ):
            continue
        else:
            yield from imported_names(child, package, at_import)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def is_of(module: str, owner: str) -> bool:
    return module == owner or module.startswith(f"{owner}.")


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_imports_the_core_and_itself_alone(plugin: Path) -> None:
    others = {other.name for other in PLUGINS} - {plugin.name}
    for path in plugin.rglob("*.py"):
        for module in imports(path):
            assert module.partition(".")[0] not in others, f"{path.relative_to(ROOT)} imports {module}"


def test_the_core_imports_no_plugin() -> None:
    for path in CORE.rglob("*.py"):
        for module in imports(path):
            owner = module.partition(".")[0]
            is_plugin = owner.startswith("denas_") and owner != "denas_core"
            assert not is_plugin, f"{path.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_contract_imports_nothing_above_it(contract: str) -> None:
    for module in imports(CORE / f"{contract}.py"):
        for above in ABOVE_CONTRACTS:
            assert not is_of(module, f"denas_core.{above}"), f"{contract}.py imports {module}"


def test_a_report_reads_runs_and_runs_none() -> None:
    paths = list((CORE / "report").glob("*.py"))
    assert len(paths) > 10
    for path in paths:
        for module in imports(path):
            for above in ("cli", "study", "launch", "training"):
                assert not is_of(module, f"denas_core.{above}"), f"{path.relative_to(ROOT)} imports {module}"


def test_what_shows_a_report_works_nothing_out() -> None:
    for name in ("html", "table"):
        for module in imports(CORE / "report" / f"{name}.py"):
            computing = ("statistics", "gather", "comparison", "knobs", "budgets", "stability")
            assert not any(is_of(module, f"denas_core.report.{part}") for part in computing), module


def test_only_commands_import_the_command_line() -> None:
    for path in PRODUCT:
        if CORE / "cli" not in path.parents and "commands" not in path.parts:
            for module in imports(path):
                assert not is_of(module, "denas_core.cli"), f"{path.relative_to(ROOT)} imports {module}"


def test_help_and_plugins_load_nothing_heavy() -> None:
    by_name = {module_of(path): path for path in PRODUCT}
    starts = ["denas_core.cli.app", "denas_core.registry.registry", "denas_core.builtin.plugin"]
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


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_have_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_is_long_or_unfinished(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_LINES
    assert not [word for word in FORBIDDEN if word in text]


def test_no_document_is_unfinished() -> None:
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/*.md")):
        assert not [word for word in (*FORBIDDEN, "@@") if word in path.read_text(encoding="utf-8")], path
