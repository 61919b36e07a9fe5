"""Loading plugins from their entry points. A plugin that cannot be loaded is listed with the reason."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.metadata
import os
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pluggy

from denas_core import hookspecs
from denas_core.isolation.guard import guarded
from denas_core.text import describe_error, one_line, safe_repr, type_name
from denas_core.version import __version__

from .core_version import CORE, accepts, core_requirement

GROUP = "denas"


Kind = Literal["space", "score", "strategy", "probe", "executor", "task", "exporter"]


HOOKS: Mapping[Kind, str] = {
    "space": "denas_spaces",
    "score": "denas_scores",
    "strategy": "denas_strategies",
    "probe": "denas_probes",
    "executor": "denas_executors",
    "task": "denas_tasks",
    "exporter": "denas_exporters",
}


LONGEST_NAME = 80


NAMES = "use letters, digits, '-' and '_'"


UNKNOWN = "unknown"


OTHER_CORE = f"needs {CORE}"
"""How the reason begins why a plugin does not fit the version of the core."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An installed plugin.

    Attributes:
        name: Name of its entry point.
        distribution: Name of the distribution that contains it.
        version: Version of the distribution.
        status: ``ok``; ``broken``: it could not be loaded; ``conflict``: several distributions use its name;
            ``disabled``: the user has disabled it.
        reason: Why the status is not ``ok``.
        components: Class, or its name as ``package.module:Class``, by kind and short name.
        add_commands: Adds commands to ``app``, a Typer application; None if the plugin has no commands.
        doctor: Returns a list with the plugin's notes about this machine; None if the plugin has no such hook.
    """

    name: str
    distribution: str
    version: str
    status: Literal["ok", "broken", "conflict", "disabled"]
    reason: str = ""
    components: Mapping[Kind, Mapping[str, str | type[Any]]] = dataclasses.field(default_factory=dict)
    add_commands: Callable[..., object] | None = dataclasses.field(default=None, repr=False, compare=False)
    doctor: Callable[[], Any] | None = dataclasses.field(default=None, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the plugin in the form that ``denas plugins --json`` prints."""
        return {
            "name": self.name,
            "distribution": self.distribution,
            "version": self.version,
            "status": self.status,
            "reason": self.reason,
            "components": {kind: sorted(names) for kind, names in self.components.items() if names},
        }


def installed_points() -> tuple[list[importlib.metadata.EntryPoint], list[Plugin]]:
    """Return the entry points of all installed plugins, and a broken plugin for each whose entry points are damaged."""
    try:
        return list(importlib.metadata.entry_points(group=GROUP)), []
    except Exception:
        # A single damaged entry_points.txt makes this call fail for all distributions, so each is read on its own.
        found: dict[str, list[importlib.metadata.EntryPoint]] = {}
        unreadable = []
        for distribution in importlib.metadata.distributions():
            facts = _facts(distribution)
            # If a distribution is installed twice, Python imports the first one on its path.
            key = facts["distribution"] if facts["distribution"] != UNKNOWN else str(id(distribution))
            try:
                found.setdefault(key, [point for point in distribution.entry_points if point.group == GROUP])
            except Exception as error:
                if _may_be_ours(distribution, error):
                    reason = f"its entry_points.txt cannot be read: {describe_error(error)}"
                    unreadable.append(
                        Plugin(name=facts["distribution"], **facts, status="broken", reason=reason)
                    )
        return [point for points in found.values() for point in points], unreadable


def load_plugin(point: importlib.metadata.EntryPoint, *, claims: int = 1) -> Plugin:
    """Return the plugin of an entry point. If loading fails, it is returned as broken.

    Args:
        point: The entry point.
        claims: Number of entry points with this name.
    """
    facts: dict[str, Any] = plugin_facts(point)
    if point.name in {name.strip() for name in os.environ.get("DENAS_DISABLE_PLUGINS", "").split(",")}:
        return Plugin(**facts, status="disabled", reason="named in DENAS_DISABLE_PLUGINS")
    if claims > 1:
        return Plugin(
            **facts,
            status="conflict",
            reason=f"{claims} distributions claim the name {safe_repr(point.name)}",
        )
    if not _is_name(point.name):
        return Plugin(
            **facts,
            status="broken",
            reason=f"the name {safe_repr(point.name)} cannot be part of an id; {NAMES}",
        )
    if reason := _why_other_core(point.dist):
        return Plugin(**facts, status="broken", reason=reason)
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    try:
        with guarded():
            manager.register(point.load(), name=point.name)
            manager.check_pending()
            components = {kind: _checked(getattr(manager.hook, hook)(), hook) for kind, hook in HOOKS.items()}
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Plugin(**facts, status="broken", reason=describe_error(error, 300))
    add, doctor = (
        hook if hook.get_hookimpls() else None
        for hook in (manager.hook.denas_add_commands, manager.hook.denas_doctor)
    )
    return Plugin(**facts, status="ok", components=components, add_commands=add, doctor=doctor)


def _why_other_core(distribution: importlib.metadata.Distribution | None) -> str:
    """Return why a distribution does not fit this core; empty if it does, or if it does not say what it needs."""
    # Damaged metadata say nothing.
    with contextlib.suppress(Exception):
        if distribution is not None:
            needed = core_requirement(distribution.requires or ())
            if not accepts(needed, __version__):
                name = _facts(distribution)["distribution"]
                return (
                    f"{OTHER_CORE}{one_line(needed, 40)}, and {__version__} is installed; "
                    f"pip install -U {CORE} {name}"
                )
    return ""


def plugin_facts(point: importlib.metadata.EntryPoint) -> dict[str, Any]:
    """Return name, distribution and version of the plugin of an entry point, without importing it."""
    return {"name": one_line(point.name, LONGEST_NAME) or UNKNOWN, **_facts(point.dist)}


def _facts(distribution: importlib.metadata.Distribution | None) -> dict[str, Any]:
    facts = {"distribution": UNKNOWN, "version": UNKNOWN}
    # Damaged metadata may have neither a name nor a version.
    with contextlib.suppress(Exception):
        if distribution is not None:
            metadata = distribution.metadata
            facts["distribution"] = one_line(metadata["Name"] or UNKNOWN, 80)
            facts["version"] = one_line(metadata["Version"] or UNKNOWN, 40)
    return facts


def _may_be_ours(distribution: importlib.metadata.Distribution, error: Exception) -> bool:
    # Only plugins of DE-NAS are reported, not every damaged package.
    if isinstance(error, UnicodeDecodeError):
        return f"[{GROUP}]".encode() in error.object
    with contextlib.suppress(Exception):
        return f"[{GROUP}]" in (distribution.read_text("entry_points.txt") or "")
    return False


def _checked(results: list[Any], hook: str) -> dict[str, str | type[Any]]:
    # A plugin manager holds one plugin here, so there is at most one result.
    returned = results[0] if results else {}
    if not isinstance(returned, Mapping):
        raise TypeError(f"{hook}() must return a mapping of names, not {type_name(returned)}")
    components: dict[str, str | type[Any]] = {}
    for name, component in returned.items():
        if not _is_name(name):
            raise ValueError(f"{hook}() names a component {safe_repr(name)}; {NAMES}")
        if not isinstance(component, (str, type)):
            raise TypeError(
                f"{hook}() maps {name!r} to {safe_repr(component)}, which is neither a class nor 'package.module:Class'"
            )
        components[name] = component
    return components


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and len(name) <= LONGEST_NAME and name.replace("-", "_").isidentifier()
