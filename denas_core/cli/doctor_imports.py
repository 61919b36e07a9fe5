"""What plugins declare and say, in another process: one that hangs or dies there is told, and harms nobody.

The other process writes each step into a file before and after it takes it; the file says what it was at when it ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.text import one_line, type_name

if TYPE_CHECKING:
    from denas_core.registry.loading import Kind, Plugin
    from denas_core.registry.registry import Registry

PATIENCE = 60.0
"""Seconds that one import may take; the first one that imports torch from a cold disk takes a few."""

Row = dict[str, Any]


def examine_plugins(*, patience: float = PATIENCE) -> list[Row]:
    """Return the rows of ``denas plugins``, each with ``faults``, a reason by component that cannot be used, and
    ``notes``, what the plugin says of this machine by subject.

    Args:
        patience: Seconds that one import may take.
    """
    culprits: dict[str, str] = {}
    while True:
        steps, open_step, end = _steps(culprits, patience)
        if open_step is None or open_step["key"] in culprits:
            return _rows(steps, culprits)
        culprits[open_step["key"]] = end


def _steps(skipped: Iterable[str], patience: float) -> tuple[list[Row], Row | None, str]:
    with tempfile.TemporaryDirectory(prefix="denas-doctor-") as folder:
        log = Path(folder) / "steps.jsonl"
        log.touch()
        # -P: what lies in the current directory is not installed.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, str(log), json.dumps(list(skipped))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            start_new_session=True,
        )
        try:
            end = _await(process, log, patience)
        finally:
            # What an import has started goes too.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        steps = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]
    is_whole = bool(steps) and steps[-1]["step"] == "end"
    return steps, None if is_whole or not steps else steps[-1], end


def _await(process: subprocess.Popen[bytes], log: Path, patience: float) -> str:
    size, since = 0, time.monotonic()
    while time.monotonic() - since < patience:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(timeout=0.05)
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            return f"its import ends the process ({how})"
        if log.stat().st_size != size:
            size, since = log.stat().st_size, time.monotonic()
    return f"its import does not end within {patience:g} s"


def _rows(steps: list[Row], culprits: dict[str, str]) -> list[Row]:
    rows: dict[str, Row] = {}
    for step in steps:
        if step["step"] == "plugin":
            rows[step["key"]] = {**step["row"], "faults": {}, "notes": {}}
        elif step["step"] == "skip" and "row" in step:
            row = {**step["row"], "status": "broken", "reason": culprits[step["key"]], "components": {}}
            rows[step["key"]] = {**row, "faults": {}, "notes": {}}
    by_name = {row["name"]: row for row in rows.values() if row["status"] == "ok"}
    for step in steps:
        if step["step"] == "fault":
            by_name[step["plugin"]]["faults"][step["key"]] = step["reason"]
        elif step["step"] == "notes":
            by_name[step["plugin"]]["notes"] = step["notes"]
        elif step["step"] == "skip" and "plugin" in step:
            by_name[step["plugin"]]["faults"][step["key"]] = culprits[step["key"]]
    return sorted(rows.values(), key=lambda row: (row["name"], row["distribution"]))


def examine_here(tell: Callable[..., None], skipped: Iterable[str]) -> None:
    """Import every plugin and component but the skipped ones, and tell each step."""
    from denas_core.errors import DenasError
    from denas_core.registry.loading import Plugin, installed_points, load_plugin, plugin_facts
    from denas_core.registry.registry import Registry

    points, plugins = installed_points()
    for plugin in plugins:
        tell("plugin", key=f"distribution {plugin.distribution}", row=plugin.as_dict())
    claims = Counter(point.name for point in points)
    for point in points:
        unknown = Plugin(**plugin_facts(point), status="broken")
        key = f"plugin {unknown.name} of {unknown.distribution}"
        if key in skipped:
            tell("skip", key=key, row=unknown.as_dict())
            continue
        tell("begin", key=key)
        plugins.append(load_plugin(point, claims=claims[point.name]))
        tell("plugin", key=key, row=plugins[-1].as_dict())
    registry = Registry(plugins)
    for plugin in registry.plugins:
        for key, examination in _examinations(registry, plugin):
            if key in skipped:
                tell("skip", key=key, plugin=plugin.name)
                continue
            tell("begin", key=key)
            try:
                if notes := examination():
                    tell("notes", key=key, plugin=plugin.name, notes=notes)
            except DenasError as error:
                tell("fault", key=key, plugin=plugin.name, reason=str(error))
    tell("end", key="")


def _examinations(registry: Registry, plugin: Plugin) -> Iterator[tuple[str, Callable[[], dict[str, str]]]]:
    for kind, names in plugin.components.items():
        for name in sorted(names):
            yield f"{kind} {plugin.name}/{name}", partial(_import, registry, kind, f"{plugin.name}/{name}")
    if plugin.add_commands is not None:
        yield f"commands of {plugin.name}", partial(_add_commands, plugin)
    if plugin.doctor is not None:
        yield f"denas_doctor() of {plugin.name}", partial(_ask, plugin, plugin.doctor)


def _import(registry: Registry, kind: Kind, name: str) -> dict[str, str]:
    from denas_core.registry.options import options_model

    options_model(registry.load(kind, name))
    return {}


def _add_commands(plugin: Plugin) -> dict[str, str]:
    from denas_core.errors import PluginError
    from denas_core.registry.registry import Registry

    from .app import core_commands
    from .plugin_commands import plugin_commands

    for reason in plugin_commands(Registry([plugin]), taken=core_commands()).faults.values():
        raise PluginError(reason)
    return {}


def _ask(plugin: Plugin, doctor: Callable[[], Any]) -> dict[str, str]:
    from denas_core.isolation.plugin_errors import plugin_errors

    with plugin_errors(f"denas_doctor() of {plugin.distribution} {plugin.version}"):
        (notes,) = doctor() or [{}]
        if not isinstance(notes, Mapping):
            raise TypeError(f"it must return a mapping of texts, not {type_name(notes)}")
        return {one_line(subject, 40): one_line(text, 400) for subject, text in notes.items()}


def main(path: str, skipped: str) -> None:
    """Write the steps of `examine_here` into a file, line by line."""
    with Path(path).open("a", encoding="utf-8") as log:

        def tell(step: str, **facts: Any) -> None:
            log.write(f"{json.dumps({'step': step, **facts})}\n")
            log.flush()

        examine_here(tell, set(json.loads(skipped)))


if __name__ == "__main__":
    main(*sys.argv[1:])
