"""Loading one plugin from its entry point, so that a broken one is a row with a reason."""

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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An installed plugin.

    Attributes:
        name: Name of its entry point.
        distribution: Name of the distribution that brings it.
        version: Version of the distribution.
        status: ``ok``; ``broken``: it could not be loaded; ``conflict``: its name is claimed twice; ``disabled``.
        reason: Why it is not ok.
        components: Class, or its lazy name, by kind and short name.
        add_commands: Adds its commands to ``app``, an application of Typer; None if it has none.
        doctor: Returns what it has to say about this machine, in a list; None if it has nothing to say.
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
        """Return the plugin as ``denas plugins --json`` prints it."""
        return {
            "name": self.name,
            "distribution": self.distribution,
            "version": self.version,
            "status": self.status,
            "reason": self.reason,
            "components": {kind: sorted(names) for kind, names in self.components.items() if names},
        }


def installed_points() -> tuple[list[importlib.metadata.EntryPoint], list[Plugin]]:
    """Return the entry points of all installed plugins, and a row for each distribution whose own cannot be read."""
    try:
        return list(importlib.metadata.entry_points(group=GROUP)), []
    except Exception:
        # One damaged entry_points.txt anywhere fails the call for all: read them one by one.
        found: dict[str, list[importlib.metadata.EntryPoint]] = {}
        unreadable = []
        for distribution in importlib.metadata.distributions():
            facts = _facts(distribution)
            # The first on the path is the one that Python imports.
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
    """Return the plugin behind an entry point, broken or not.

    Args:
        point: The entry point.
        claims: Entry points that have its name.
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


def plugin_facts(point: importlib.metadata.EntryPoint) -> dict[str, Any]:
    """Return name, distribution and version of the plugin behind an entry point, without importing it."""
    return {"name": one_line(point.name, LONGEST_NAME) or UNKNOWN, **_facts(point.dist)}


def _facts(distribution: importlib.metadata.Distribution | None) -> dict[str, Any]:
    facts = {"distribution": UNKNOWN, "version": UNKNOWN}
    # A distribution whose metadata is damaged has neither.
    with contextlib.suppress(Exception):
        if distribution is not None:
            metadata = distribution.metadata
            facts["distribution"] = one_line(metadata["Name"] or UNKNOWN, 80)
            facts["version"] = one_line(metadata["Version"] or UNKNOWN, 40)
    return facts


def _may_be_ours(distribution: importlib.metadata.Distribution, error: Exception) -> bool:
    # A damaged package of any other kind is none of our business.
    if isinstance(error, UnicodeDecodeError):
        return f"[{GROUP}]".encode() in error.object
    with contextlib.suppress(Exception):
        return f"[{GROUP}]" in (distribution.read_text("entry_points.txt") or "")
    return False


def _checked(results: list[Any], hook: str) -> dict[str, str | type[Any]]:
    # One plugin a manager, so there is at most one result.
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
