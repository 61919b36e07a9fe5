"""Who imports whom, read from the source: every import counts, also those for types and inside functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "denas_core"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/*/plugin.py"))
PRODUCT = sorted([*CORE.rglob("*.py"), *ROOT.glob("plugins/*/*/**/*.py")])


def module_of(path: Path) -> str:
    """Return the dotted name of a module of the core or a plugin."""
    base = CORE.parent if CORE in path.parents else next(p.parent for p in PLUGINS if p in path.parents)
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path, *, at_import: bool = False) -> frozenset[str]:
    """Return the names that a file imports, anywhere, or only those that importing the file runs."""
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
    """Tell whether `module` is `owner` or lies in it."""
    return module == owner or module.startswith(f"{owner}.")


def arrows() -> dict[str, set[str]]:
    """Return the modules of the product that each of them imports."""
    names = {module_of(path) for path in PRODUCT}
    return {
        module_of(path): {
            name
            for name in imports(path)
            # `from package import module` is an arrow to the module, and none to the face of its package.
            if name in names and not (name in FACES and _names_below(path, name))
        }
        - {module_of(path)}
        for path in PRODUCT
    }


FACES = {module_of(path) for path in PRODUCT if path.name == "__init__.py"}


def _names_below(path: Path, face: str) -> bool:
    names = {module_of(other) for other in PRODUCT}
    return any(name.rpartition(".")[0] == face and name in names for name in imports(path))


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the sets of modules that reach each other, largest first (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = [stack.pop()]
            while component[-1] != node:
                component.append(stack.pop())
            if len(component) > 1:
                found.append(sorted(component))

    for node in graph:
        if node not in index:
            visit(node)
    return sorted(found, key=len, reverse=True)
