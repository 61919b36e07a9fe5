"""The registry: which plugins are installed, what they provide, and components made from their names."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.metadata
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import pluggy

from denas_core import hookspecs
from denas_core.errors import ConfigError, NotInstalled, PluginError, did_you_mean, with_article
from denas_core.isolation.blame import blamed, is_interruption
from denas_core.isolation.guard import guarded
from denas_core.text import described, one_line, shown, type_name

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
    "space": ("denas_core.contracts.space:SearchSpace",),
    "score": ("denas_core.contracts.score:ProxyScore", "denas_core.contracts.score:CombinedScore"),
    "strategy": ("denas_core.contracts.strategy:Strategy",),
    "probe": ("denas_core.values.latency:LatencyProbe",),
    "executor": ("denas_core.contracts.executor:Executor",),
    "task": ("denas_core.contracts.task:Task",),
    "exporter": ("denas_core.contracts.exporter:Exporter",),
}

OFFICIAL = ("asr", "bench", "cv", "hf", "nlp", "onnx", "openvino", "optuna", "ray", "scores")
"""Plugin names whose distribution is ``denas-<name>``, for the hint on what to install."""

LONGEST_NAME = 80
MOST_COMPONENTS = 10_000
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
        points, unreadable = installed_points() if entry_points is None else (list(entry_points), [])
        claims = Counter(point.name for point in points)
        return cls([*unreadable, *(load_plugin(point, claims=claims[point.name]) for point in points)])

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
            f"no installed plugin has {with_article(kind)} {name!r}{hint}; installed: {', '.join(ids) or 'none'}"
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
            presets = self.presets(kind, base)
            if preset not in presets:
                hint = did_you_mean(preset, presets) or f"; it has {', '.join(presets) or 'none'}"
                raise ConfigError(f"{kind} {self.resolve(kind, base)!r} has no preset {preset!r}{hint}")
            chosen |= presets[preset]
        return make_component(cls, {**chosen, **(options or {})}, id=self.resolve(kind, base), origin=origin)

    def presets(self, kind: Kind, name: str) -> dict[str, dict[str, Any]]:
        """Return the options of each preset of a component, by the preset's name.

        Raises:
            NotInstalled, PluginError, ConfigError: as `load`; also PluginError where they are no such mappings.
        """
        cls = self.load(kind, name)
        with blamed(f"{kind} {name!r}"):
            presets = {name: dict(options) for name, options in dict(getattr(cls, "presets", {})).items()}
            if not all(
                type(name) is str for name in (*presets, *(n for one in presets.values() for n in one))
            ):
                raise TypeError("'presets' must map names to mappings of options")
        return presets


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
                    reason = f"its entry_points.txt cannot be read: {described(error)}"
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
            reason=f"{claims} distributions claim the name {shown(point.name)}",
        )
    if not _is_name(point.name):
        return Plugin(
            **facts,
            status="broken",
            reason=f"the name {shown(point.name)} cannot be part of an id; {NAMES}",
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
            raise ValueError(f"{hook}() names a component {shown(name)}; {NAMES}")
        if not issubclass(type(component), (str, type)):
            raise TypeError(
                f"{hook}() maps {name!r} to {shown(component)}, which is neither a class nor 'package.module:Class'"
            )
        # Plain texts: a subclass of str may say something else each time.
        components[str.__str__(name)] = (
            str.__str__(component) if issubclass(type(component), str) else component
        )
        if len(components) > MOST_COMPONENTS:
            raise ValueError(f"{hook}() returns more than {MOST_COMPONENTS} components")
    return components


def _is_name(name: Any) -> bool:
    if not issubclass(type(name), str):
        return False
    plain = str.__str__(name)
    return len(plain) <= LONGEST_NAME and plain.replace("-", "_").isidentifier()


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
