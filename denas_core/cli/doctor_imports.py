"""Import what each plugin declares, one process for each plugin: one that hangs or dies stops no other."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.text import one_line, type_name

if TYPE_CHECKING:
    from denas_core.registry.loading import Kind, Plugin
    from denas_core.registry.registry import Registry

PATIENCE = 120.0
"""Seconds that the imports of one plugin may take; the first import of torch from a cold disk takes many."""

Row = dict[str, Any]


def examine_plugins(*, patience: float = PATIENCE) -> list[Row]:
    """Return the rows of ``denas plugins``, each with two more keys.

    ``faults`` holds the reason for each component that cannot be used. ``notes`` holds what the plugin reports about
    this machine, by subject.

    Args:
        patience: Seconds that the imports of one plugin may take.
    """
    from denas_core.registry.loading import installed_points

    points, unreadable = installed_points()
    rows = [_new_row(plugin) for plugin in unreadable]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        rows += pool.map(partial(_examine, patience=patience), range(len(points)))
    return sorted(rows, key=lambda row: (row["name"], row["distribution"]))


def _examine(place: int, *, patience: float) -> Row:
    """Examine the plugin at a place of `installed_points` in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="denas-doctor-") as folder:
        path = Path(folder) / "row.json"
        process = subprocess.Popen(
            # -P: a folder in the working directory must not hide an installed package.
            [sys.executable, "-P", "-m", __name__, str(place), str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
            start_new_session=True,
        )
        try:
            code = process.wait(patience)
            end = f"its import ends the process ({f'signal {-code}' if code < 0 else f'exit code {code}'})"
        except subprocess.TimeoutExpired:
            end = f"its import does not end within {patience:g} s"
        finally:
            # Processes that an import has started must end too.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        row: Row = json.loads(path.read_text(encoding="utf-8")) if path.exists() else _unloaded_row(place)
    if (begun := row.pop("begun")) is None:
        return row
    if row["status"] == "unknown":
        return row | {"status": "broken", "reason": end}
    row["faults"][begun] = end
    return row


def _new_row(plugin: Plugin) -> Row:
    return {**plugin.as_dict(), "faults": {}, "notes": {}}


def _unloaded_row(place: int) -> Row:
    from denas_core.registry.loading import Plugin, installed_points, plugin_facts

    facts = plugin_facts(installed_points()[0][place])
    return {**_new_row(Plugin(**facts, status="broken")), "status": "unknown", "begun": "plugin"}


def examine_here(place: int, path: Path) -> None:
    """Import one plugin and all that it declares, and keep its row in a file up to date.

    The file names the import that has begun and not ended as ``begun``.
    """
    from denas_core.errors import DenasError
    from denas_core.registry.loading import installed_points, load_plugin
    from denas_core.registry.registry import Registry

    points, _ = installed_points()
    row = _unloaded_row(place)
    _write(path, row)
    plugin = load_plugin(points[place], claims=Counter(point.name for point in points)[points[place].name])
    row = {**_new_row(plugin), "begun": None}
    registry = Registry([plugin])
    for name, examination in _examinations(registry, registry.plugins[0]):
        _write(path, {**row, "begun": name})
        try:
            row["notes"] |= examination()
        except DenasError as error:
            row["faults"][name] = str(error)
    _write(path, row)


def _write(path: Path, row: Row) -> None:
    # In one step: this process may die at any moment.
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(row), encoding="utf-8")
    draft.replace(path)


def _examinations(registry: Registry, plugin: Plugin) -> Iterator[tuple[str, Callable[[], dict[str, str]]]]:
    for kind, names in plugin.components.items():
        for name in sorted(names):
            yield f"{kind} {plugin.name}/{name}", partial(_import, registry, kind, f"{plugin.name}/{name}")
    if plugin.add_commands is not None:
        yield f"commands of {plugin.name}", partial(_add_commands, registry)
    if plugin.doctor is not None:
        yield f"denas_doctor() of {plugin.name}", partial(_ask, plugin, plugin.doctor)


def _import(registry: Registry, kind: Kind, name: str) -> dict[str, str]:
    from denas_core.registry.options import options_model

    options_model(registry.load(kind, name))
    return {}


def _add_commands(registry: Registry) -> dict[str, str]:
    from denas_core.errors import PluginError

    from .plugin_commands import plugin_commands
    from .table import NAMES

    for reason in plugin_commands(registry, taken=NAMES).faults.values():
        raise PluginError(reason)
    return {}


def _ask(plugin: Plugin, doctor: Callable[[], Any]) -> dict[str, str]:
    from denas_core.isolation.plugin_errors import plugin_errors

    with plugin_errors(f"denas_doctor() of {plugin.distribution} {plugin.version}"):
        (notes,) = doctor() or [{}]
        if not isinstance(notes, Mapping):
            raise TypeError(f"it must return a mapping of texts, not {type_name(notes)}")
        return {one_line(subject, 40): one_line(text, 400) for subject, text in notes.items()}


if __name__ == "__main__":
    examine_here(int(sys.argv[1]), Path(sys.argv[2]))
