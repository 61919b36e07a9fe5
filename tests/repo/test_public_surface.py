"""Plugins, templates, examples and documents import the public names of the core, and no others."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import denas_core

from .documents import DOCUMENTS, ROOT, blocks, name_of

HOOKS = ROOT / "docs/hooks.md"
PLUGIN_FILES = sorted(
    path
    for folder in ("plugins", "examples", "tests/toy")
    for path in (ROOT / folder).rglob("*.py")
    if not {"build", "dist"} & set(path.parts)
)
TEMPLATES = sorted((ROOT / "denas_core/scaffold/templates").glob("*.py.jinja"))
WITH_PYTHON = [path for path in DOCUMENTS if blocks(path, "python")]
FACES = sorted(path.parent for path in (ROOT / "denas_core").rglob("__init__.pyi"))


@cache
def public_modules() -> list[str]:
    """Return the modules that a plugin may import: the table of docs/hooks.md."""
    section = HOOKS.read_text(encoding="utf-8").partition("## What a plugin may import\n")[2]
    return re.findall(r"^\| `(denas_core[\w.]*)` \|", section.partition("\n## ")[0], re.MULTILINE)


@cache
def public_names(module: str) -> frozenset[str]:
    """Return the names of a public module: those of its stub, of its ``__all__``, or those defined in it."""
    loaded = importlib.import_module(module)
    stub = Path(str(loaded.__file__)).with_suffix(".pyi")
    if stub.is_file():
        return frozenset(name for _, name in stub_imports(stub))
    if hasattr(loaded, "__all__"):
        return frozenset(loaded.__all__)
    tree = ast.parse(inspect.getsource(loaded))
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"
    )


def stub_imports(stub: Path) -> list[tuple[str, str]]:
    """Return the module and the name of every import of a stub, in order."""
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    nodes = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return [(f"{node.module}", alias.name) for node in nodes for alias in node.names]


def imports_of_the_core(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    """Yield module, name (empty for a whole module) and line of every import of the core in `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "denas_core":
                    yield alias.name, "", node.lineno
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "denas_core":
            for alias in node.names:
                yield str(node.module), alias.name, node.lineno
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "denas_core"
        ):
            yield "denas_core", node.attr, node.lineno


def complaints(source: str, where: str, *, first: int = 1) -> list[str]:
    """Return what `source` imports of the core that is not public."""
    allowed = public_modules()
    found = []
    for module, name, line in imports_of_the_core(ast.parse(source)):
        if module not in allowed:
            found.append(f"{where}:{line + first - 1} imports {module}, which docs/hooks.md does not list")
        elif name and name not in public_names(module) and f"{module}.{name}" not in allowed:
            found.append(f"{where}:{line + first - 1} imports {name}, which is no public name of {module}")
    return found


def test_plugins_and_examples_import_public_names() -> None:
    assert len(PLUGIN_FILES) > 300
    found = (
        complaints(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
        for path in PLUGIN_FILES
    )
    assert not [line for lines in found for line in lines]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_import_public_names(path: Path) -> None:
    source = re.sub(r"{%.*?%}|{#.*?#}", "", path.read_text(encoding="utf-8"))
    assert not complaints(re.sub(r"{{.*?}}", "x", source), path.name)


@pytest.mark.parametrize("path", WITH_PYTHON, ids=name_of)
def test_documents_import_public_names(path: Path) -> None:
    found = [
        line
        for block in blocks(path, "python")
        for line in complaints(block.text, name_of(path), first=block.line)
    ]
    assert not found


def test_what_is_not_public_is_found() -> None:
    source = "import denas_core.values\nfrom denas_core import Nothing\nfrom denas_core.errors import ConfigError\n"
    assert complaints(source, "x.py") == [
        "x.py:1 imports denas_core.values, which docs/hooks.md does not list",
        "x.py:2 imports Nothing, which is no public name of denas_core",
    ]


@pytest.mark.parametrize("module", public_modules())
def test_every_public_name_is_there(module: str) -> None:
    loaded = importlib.import_module(module)
    assert public_names(module)
    assert not [name for name in sorted(public_names(module)) if not hasattr(loaded, name)]


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.relative_to(ROOT).as_posix())
def test_a_stub_names_everything_once_as_type_checkers_read_it(face: Path) -> None:
    module = ".".join(face.relative_to(ROOT).parts)
    assert module in public_modules()
    tree = ast.parse((face / "__init__.pyi").read_text(encoding="utf-8"))
    aliases = [alias for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    names = [alias.name for alias in aliases]
    assert len(names) == len(set(names))
    # Without "as", a type checker takes the import for a private one.
    assert not [alias.name for alias in aliases if alias.asname != alias.name]
    assert sorted(names) == sorted(importlib.import_module(module).__all__)


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.relative_to(ROOT).as_posix())
def test_no_public_name_is_that_of_a_module_beside_it(face: Path) -> None:
    # An import of that module would take the place of the name.
    module = ".".join(face.relative_to(ROOT).parts)
    beside = {found.name for found in pkgutil.iter_modules([str(face)])}
    assert not beside & public_names(module)


def test_no_name_of_the_core_is_public_in_two_places() -> None:
    owners: dict[tuple[str, str], str] = {}
    for face in FACES:
        for module, name in stub_imports(face / "__init__.pyi"):
            home = ".".join([*face.relative_to(ROOT).parts, module])
            assert owners.setdefault((home, name), str(face)) == str(face), (home, name)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        AttributeError, match=r"'denas_core' has no attribute 'SerchSpace'; did you mean 'SearchSpace'\?"
    ):
        denas_core.SerchSpace  # type: ignore[attr-defined]  # noqa: B018
