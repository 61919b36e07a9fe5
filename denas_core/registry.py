"""The registry: which plugins are installed, what they provide, and components made from their names."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pluggy

from . import hookspecs
from .blame import blamed, is_interruption
from .errors import ConfigError, NotInstalled, PluginError, did_you_mean
from .guard import guarded
from .one_line import described, one_line, shown

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

CONTRACTS: Mapping[Kind, tuple[str, ...]] = {
    "space": ("denas_core.space:SearchSpace",),
    "score": ("denas_core.score:ProxyScore", "denas_core.score:CombinedScore"),
    "strategy": ("denas_core.strategy:Strategy",),
    "probe": ("denas_core.latency:LatencyProbe",),
    "executor": ("denas_core.executor:Executor",),
    "task": ("denas_core.task:Task",),
    "exporter": ("denas_core.exporter:Exporter",),
}

OFFICIAL = ("asr", "bench", "cv", "hf", "nlp", "onnx", "openvino", "optuna", "ray", "scores")
"""Plugin names whose distribution is ``denas-<name>``, for the hint on what to install."""


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
    """

    name: str
    distribution: str
    version: str
    status: Literal["ok", "broken", "conflict", "disabled"]
    reason: str = ""
    components: Mapping[Kind, Mapping[str, str | type[Any]]] = dataclasses.field(default_factory=dict)

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


class Registry:
    """Plugins and their components; a value that is passed along, never a global.

    Attributes:
        plugins: Every installed plugin, working or not, by name.
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self.plugins = sorted(plugins, key=lambda plugin: (plugin.name, plugin.distribution))

    @classmethod
    def discover(cls, entry_points: Iterable[importlib.metadata.EntryPoint] | None = None) -> Registry:
        """Load every plugin on its own, so that a broken one is a row and no more.

        Args:
            entry_points: Those to load; by default all installed ones of the group ``denas``. Names listed in the
                environment variable ``DENAS_DISABLE_PLUGINS``, separated by commas, are not loaded.
        """
        points = installed_points() if entry_points is None else list(entry_points)
        claims = Counter(point.name for point in points)
        return cls(load_plugin(point, claims=claims[point.name]) for point in points)

    def ids(self, kind: Kind) -> list[str]:
        """Return the ids of every usable component of a kind."""
        return [
            f"{plugin.name}/{name}"
            for plugin in self.plugins
            for name in sorted(plugin.components.get(kind, {}))
        ]

    def resolve(self, kind: Kind, name: str) -> str:
        """Return the full id that `name` stands for; a bare name works while it is unambiguous.

        Raises:
            NotInstalled: no installed plugin has it; says what to install.
            PluginError: its plugin is installed, but does not load.
            ConfigError: a bare name that several plugins use.
        """
        ids = self.ids(kind)
        matches = [id for id in ids if name in (id, id.partition("/")[2])]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise ConfigError(f"{kind} {name!r} is ambiguous: {', '.join(matches)}; write the full id")
        owner = name.partition("/")[0]
        for plugin in self.plugins:
            if plugin.name == owner and plugin.status != "ok":
                raise PluginError(
                    f"{kind} {name!r} is unavailable: plugin {plugin.name!r} ({plugin.distribution} {plugin.version}) "
                    f"is {plugin.status}: {plugin.reason}; 'denas doctor' tells how to mend it"
                )
        installed = {plugin.name for plugin in self.plugins}
        if "/" in name and owner not in installed:
            hint = (
                f"; install it with: pip install denas-{owner}"
                if owner in OFFICIAL
                else did_you_mean(name, ids)
            )
            raise NotInstalled(f"{kind} {name!r} needs the plugin {owner!r}, which is not installed{hint}")
        hint = did_you_mean(name, [*ids, *(id.partition("/")[2] for id in ids)])
        raise NotInstalled(
            f"no installed plugin has a {kind} {name!r}{hint}; installed: {', '.join(ids) or 'none'}"
        )

    def load(self, kind: Kind, name: str) -> type[Any]:
        """Return the class behind a name.

        Raises:
            NotInstalled, PluginError, ConfigError: as `resolve`; also PluginError where the class does not import or is
                no component of this kind.
        """
        id = self.resolve(kind, name)
        owner, _, short = id.partition("/")
        plugin = next(plugin for plugin in self.plugins if plugin.name == owner and plugin.status == "ok")
        found = plugin.components[kind][short]
        where = f"{kind} {id!r} of {plugin.distribution} {plugin.version}"
        component = _import(found, where) if isinstance(found, str) else found
        contracts = tuple(_import(name, where) for name in CONTRACTS[kind])
        with blamed(where):
            # By its ancestors: issubclass() asks the class, which may lie.
            if not (issubclass(type(component), type) and set(contracts) & set(type.mro(component))):
                wanted = " or ".join(contract.__name__ for contract in contracts)
                raise PluginError(f"{where} is no {wanted} but {shown(component)}")
            abstract = sorted(getattr(component, "__abstractmethods__", ()))
            if abstract:
                raise PluginError(f"{where} does not define {', '.join(abstract)}")
        return component

    def create(
        self, kind: Kind, name: str, options: Mapping[str, Any] | None = None, *, origin: str = ""
    ) -> Any:
        """Return a component made from its name, a preset after a colon, and options, which beat the preset's.

        Args:
            kind: What it is.
            name: Id or bare name, e.g. ``cv/cnn:imagenet``.
            options: Values by option.
            origin: What errors name as their source.
        """
        from .options import make_component

        base, colon, preset = name.partition(":")
        cls = self.load(kind, base)
        chosen: dict[str, Any] = {}
        if colon:
            with blamed(f"{kind} {base!r}"):
                presets = dict(getattr(cls, "presets", {}))
            if preset not in presets:
                hint = did_you_mean(preset, presets) or f"; it has {', '.join(presets) or 'none'}"
                raise ConfigError(f"{kind} {self.resolve(kind, base)!r} has no preset {preset!r}{hint}")
            chosen |= presets[preset]
        return make_component(cls, {**chosen, **(options or {})}, id=self.resolve(kind, base), origin=origin)


def installed_points() -> list[importlib.metadata.EntryPoint]:
    """Return the entry points of all installed plugins; a distribution that cannot be read hides no other."""
    try:
        return list(importlib.metadata.entry_points(group=GROUP))
    except Exception:
        # One damaged entry_points.txt anywhere fails the call for all: read them one by one.
        found: dict[str, list[importlib.metadata.EntryPoint]] = {}
        for distribution in importlib.metadata.distributions():
            try:
                points = [point for point in distribution.entry_points if point.group == GROUP]
                # The first on the path is the one that Python imports.
                found.setdefault(distribution.name, points)
            except Exception:
                # It may be a package of any kind: whether it has a plugin cannot be known.
                continue
        return [point for points in found.values() for point in points]


def load_plugin(point: importlib.metadata.EntryPoint, *, claims: int = 1) -> Plugin:
    """Return the plugin behind an entry point, broken or not.

    Args:
        point: The entry point.
        claims: Entry points that have its name.
    """
    facts: dict[str, Any] = {"name": point.name, **_distribution(point)}
    if point.name in {name.strip() for name in os.environ.get("DENAS_DISABLE_PLUGINS", "").split(",")}:
        return Plugin(**facts, status="disabled", reason="named in DENAS_DISABLE_PLUGINS")
    if claims > 1:
        return Plugin(
            **facts,
            status="conflict",
            reason=f"{claims} distributions claim the name {shown(point.name)}",
        )
    if not _is_name(point.name):
        return Plugin(
            **facts,
            status="broken",
            reason=f"the name {shown(point.name)} cannot be part of an id; use letters, digits, '-' and '_'",
        )
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    try:
        with guarded():
            manager.register(point.load(), name=point.name)
            manager.check_pending()
            components = {kind: _checked(getattr(manager.hook, hook)(), hook) for kind, hook in HOOKS.items()}
    except BaseException as error:
        if is_interruption(error):
            raise
        return Plugin(**facts, status="broken", reason=described(error, 300))
    return Plugin(**facts, status="ok", components=components)


def _distribution(point: importlib.metadata.EntryPoint) -> dict[str, str]:
    try:
        # A distribution whose metadata is damaged has neither.
        name, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    except Exception:
        name = version = ""
    return {
        "distribution": one_line(name or "unknown", 80),
        "version": one_line(version or "unknown", 40),
    }


def _checked(results: list[Any], hook: str) -> dict[str, str | type[Any]]:
    # One plugin a manager, so there is at most one result.
    components = results[0] if results else {}
    if not isinstance(components, Mapping):
        raise TypeError(f"{hook}() must return a mapping of names, not {type(components).__name__}")
    for name, component in components.items():
        if not _is_name(name):
            raise ValueError(f"{hook}() names a component {shown(name)}; use letters, digits, '-' and '_'")
        if not isinstance(component, (str, type)):
            raise TypeError(
                f"{hook}() maps {name!r} to {shown(component)}, which is neither a class nor 'package.module:Class'"
            )
    return dict(components)


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name.replace("-", "_").isidentifier()


def _import(reference: str, where: str) -> Any:
    module, _, attribute = reference.partition(":")
    try:
        with guarded():
            return getattr(importlib.import_module(module), attribute)
    except BaseException as error:
        if is_interruption(error):
            raise
        raise PluginError(
            f"{where} cannot be imported from {shown(reference)}: {described(error, 300)}"
        ) from error
