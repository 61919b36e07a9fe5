"""Run a notebook as its user would, cell after cell, without Jupyter: ``python notebooks.py NOTEBOOK``.

It prints what the cells show as lines of JSON. The notebook is the main module, as it is in a kernel.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any


def cells(path: Path, kind: str) -> list[str]:
    """Return the sources of the cells of a kind, in order."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == kind]


def run_cell(source: str, namespace: dict[str, Any], name: str) -> Any:
    """Run a cell, and return the value of its last expression; None if it does not end with one."""
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    return None if last is None else eval(compile(ast.Expression(last.value), name, "eval"), namespace)


def main(path: Path) -> None:
    """Run every cell of a notebook."""
    for number, source in enumerate(cells(path, "code"), start=1):
        value = run_cell(source, sys.modules["__main__"].__dict__, f"{path.name}, cell {number}")
        show = getattr(value, "_repr_html_", None)
        shown = {"cell": number, "type": type(value).__name__, "html": show() if show else None}
        sys.stdout.write(json.dumps(shown) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
