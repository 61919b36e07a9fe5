"""Plugins, templates, examples and documents import public names of the core and of other plugins, and no others."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Collection, Iterator
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
PACKAGES = {
    "denas_core": ROOT,
    **{path.name: path.parent for path in ROOT.glob("plugins/*/denas_*") if path.is_dir()},
}
"""The folder of each package of the product."""
FACES = sorted(
    path.parent for name, folder in PACKAGES.items() for path in (folder / name).rglob("__init__.pyi")
)
IMPORT = re.compile(r"^(?:from|import) denas_\w+.*$", re.MULTILINE)


@cache
def public_modules() -> list[str]:
    """Return the modules that a plugin may import: the tables of docs/hooks.md."""
    section = HOOKS.read_text(encoding="utf-8").partition("## What a plugin may import\n")[2]
    return re.findall(r"^\| `(denas_[\w.]+)` \|", section.partition("\n## ")[0], re.MULTILINE)


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
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_"
    )


def module_of(face: Path) -> str:
    """Return the name of a package by its folder."""
    owner = next(name for name in PACKAGES if name in face.parts)
    return ".".join(face.relative_to(PACKAGES[owner]).parts)


def stub_imports(stub: Path) -> list[tuple[str, str]]:
    """Return the module and the name of every import of a stub, in order."""
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    nodes = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return [(f"{node.module}", alias.name) for node in nodes for alias in node.names]


def imports_of(packages: Collection[str], tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    """Yield module, name (empty for a whole module) and line of every import of `packages` in `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in packages:
                    yield alias.name, "", node.lineno
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in packages:
            for alias in node.names:
                yield str(node.module), alias.name, node.lineno
        elif (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in packages
        ):
            yield node.value.id, node.attr, node.lineno


def complaints(
    source: str, where: str, *, first: int = 1, packages: Collection[str] = ("denas_core",)
) -> list[str]:
    """Return what `source` imports of `packages` that is not public."""
    allowed = public_modules()
    found = []
    for module, name, line in imports_of(packages, ast.parse(source)):
        if module not in allowed:
            found.append(f"{where}:{line + first - 1} imports {module}, which docs/hooks.md does not list")
        elif name and name not in public_names(module) and not is_a_part(f"{module}.{name}", allowed):
            found.append(f"{where}:{line + first - 1} imports {name}, which is no public name of {module}")
    return found


def is_a_part(module: str, allowed: list[str]) -> bool:
    """Tell whether a module is public, or contains one that is."""
    return any(public == module or public.startswith(f"{module}.") for public in allowed)


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
        for line in complaints(block.text, name_of(path), first=block.line, packages=PACKAGES)
    ]
    assert not found


def test_lines_that_documents_show_import_public_names() -> None:
    # What a command prints, and code that needs files: not all of such a block is Python.
    shown = [
        (path, line)
        for path in DOCUMENTS
        for block in blocks(path, "text")
        for line in IMPORT.findall(block.text)
    ]
    assert len(shown) >= 3
    assert not [line for path, code in shown for line in complaints(code, name_of(path), packages=PACKAGES)]


def test_what_is_not_public_is_found() -> None:
    source = "import denas_core.values\nfrom denas_core import Nothing\nfrom denas_core.errors import ConfigError\n"
    of_the_core = [
        "x.py:1 imports denas_core.values, which docs/hooks.md does not list",
        "x.py:2 imports Nothing, which is no public name of denas_core",
    ]
    assert complaints(source, "x.py") == of_the_core
    source += (
        "import denas_nlp.bert.hf\nfrom denas_hf import Auto, Nothing\nfrom denas_hf.space import Auto\n"
    )
    assert complaints(source, "x.py") == of_the_core
    assert complaints(source, "x.py", packages=PACKAGES) == [
        *of_the_core,
        "x.py:5 imports Nothing, which is no public name of denas_hf",
        "x.py:6 imports denas_hf.space, which docs/hooks.md does not list",
    ]


@pytest.mark.parametrize("module", public_modules())
def test_every_public_name_is_there(module: str) -> None:
    loaded = importlib.import_module(module)
    assert public_names(module)
    assert not [name for name in sorted(public_names(module)) if not hasattr(loaded, name)]


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.relative_to(ROOT).as_posix())
def test_a_stub_names_everything_once_as_type_checkers_read_it(face: Path) -> None:
    module = module_of(face)
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
    module = module_of(face)
    beside = {found.name for found in pkgutil.iter_modules([str(face)])}
    assert not beside & public_names(module)


def test_no_name_of_the_core_is_public_in_two_places() -> None:
    owners: dict[tuple[str, str], str] = {}
    for face in FACES:
        for module, name in stub_imports(face / "__init__.pyi"):
            home = f"{module_of(face)}.{module}"
            assert owners.setdefault((home, name), str(face)) == str(face), (home, name)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        AttributeError, match=r"'denas_core' has no attribute 'SerchSpace'; did you mean 'SearchSpace'\?"
    ):
        denas_core.SerchSpace  # type: ignore[attr-defined]  # noqa: B018
