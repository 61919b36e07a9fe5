"""The registry knows the installed plugins and their components, and makes components by name."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from denas_core.errors import ConfigError, NotInstalled, PluginError, did_you_mean, with_article
from denas_core.isolation.guard import guarded
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.text import describe_error, safe_repr

from .loading import Kind, Plugin, installed_points, load_plugin
from .official import PLUGINS
from .own_classes import own_class

CONTRACTS: Mapping[Kind, tuple[str, ...]] = {
    "space": ("denas_core.contracts.space:SearchSpace",),
    "score": ("denas_core.contracts.score:ProxyScore", "denas_core.contracts.score:CombinedScore"),
    "strategy": ("denas_core.contracts.strategy:Strategy",),
    "probe": ("denas_core.contracts.probe:LatencyProbe",),
    "executor": ("denas_core.contracts.executor:Executor",),
    "task": ("denas_core.contracts.task:Task",),
    "exporter": ("denas_core.contracts.exporter:Exporter", "denas_core.contracts.run_exporter:RunExporter"),
}

CORE = "builtin"
"""The plugin whose distribution is the core."""


class Registry:
    """The installed plugins and their components. Functions get a registry as an argument; there is no global one.

    Attributes:
        plugins: Every installed plugin, also broken ones, ordered by name.
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self.plugins = sorted(plugins, key=lambda plugin: (plugin.name, plugin.distribution))

    @classmethod
    def discover(cls, entry_points: Iterable[importlib.metadata.EntryPoint] | None = None) -> Registry:
        """Load all plugins, each on its own, so that a broken plugin does not affect others.

        Args:
            entry_points: The entry points to load; by default all installed ones of the group ``denas``. Plugins that
                the environment variable ``DENAS_DISABLE_PLUGINS`` lists, separated by commas, are not loaded.
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

    def distributions(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the versions of the core and of the plugins that provide the components `ids`, by distribution."""
        used = {CORE, *(id.partition("/")[0] for id in ids)}
        return {
            plugin.distribution: plugin.version
            for plugin in self.plugins
            if plugin.name in used and plugin.status == "ok"
        }

    def resolve(self, kind: Kind, name: str) -> str:
        """Return the full id for `name`, which is an id or a short name, or ``module:Class`` of somebody's own class.

        A short name means the component of the core if the core has one of that name, so that an installed plugin never
        changes what a name means. Otherwise only one plugin may use it.

        Raises:
            NotInstalled: no installed plugin has the component. The text says what to install.
            PluginError: its plugin is installed, but cannot be loaded.
            ConfigError: several plugins use the short name, and the core does not.
        """
        if (exact := self._exact(kind, name)) is not None:
            return exact
        ids = self.ids(kind)
        if (own := f"{CORE}/{name}") in ids:
            return own
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
                    f"is {plugin.status}: {plugin.reason}; 'denas doctor' says how to fix it"
                )
        installed = {plugin.name for plugin in self.plugins}
        if "/" in name and owner not in installed:
            hint = (
                f"; install it with: pip install denas-{owner}"
                if owner in PLUGINS
                else did_you_mean(name, ids)
            )
            raise NotInstalled(f"{kind} {name!r} needs the plugin {owner!r}, which is not installed{hint}")
        hint = did_you_mean(name, [*ids, *(id.partition("/")[2] for id in ids)])
        raise NotInstalled(
            f"no installed plugin has {with_article(kind)} {name!r}{hint}; installed: {', '.join(ids) or 'none'}"
        )

    def has(self, kind: Kind, name: str) -> bool:
        """Return whether `name` names an installed component of a kind, with a preset or without."""
        try:
            self.resolve(kind, name.partition(":")[0])
        except NotInstalled:
            return False
        return True

    def kind_of(self, name: str) -> Kind:
        """Return the kind of the component `name`, which is an id or a short name.

        Raises:
            NotInstalled, PluginError: see `resolve`.
            ConfigError: components of several kinds have that name.
        """
        found: list[Kind] = []
        reasons: list[NotInstalled] = []
        for kind in CONTRACTS:
            try:
                self.resolve(kind, name)
                found.append(kind)
            except NotInstalled as error:
                reasons.append(error)
        if len(found) == 1:
            return found[0]
        if found:
            kinds = " and ".join(map(with_article, found))
            raise ConfigError(f"{name!r} is ambiguous: there is {kinds} of that name; write the full id")
        if "/" in name and name.partition("/")[0] not in {plugin.name for plugin in self.plugins}:
            # The text names what to install.
            raise reasons[0]
        known = [id for kind in CONTRACTS for id in self.ids(kind)]
        hint = did_you_mean(name, [*known, *(id.partition("/")[2] for id in known)])
        raise NotInstalled(f"no installed plugin has a component {name!r}{hint}; 'denas plugins' lists them")

    def load(self, kind: Kind, name: str) -> type[Any]:
        """Return the class of a component.

        Raises:
            NotInstalled, PluginError, ConfigError: see `resolve`. Also PluginError, if the class cannot be imported or
                is not a component of this kind.
        """
        id = self.resolve(kind, name)
        if ":" in id:
            return self._own(kind, id)  # type: ignore[return-value]
        owner, _, short = id.partition("/")
        plugin = next(plugin for plugin in self.plugins if plugin.name == owner and plugin.status == "ok")
        found = plugin.components[kind][short]
        where = f"{kind} {id!r} of {plugin.distribution} {plugin.version}"
        component = _import(found, where) if isinstance(found, str) else found
        contracts = tuple(_import(name, where) for name in CONTRACTS[kind])
        with plugin_errors(where):
            if not (isinstance(component, type) and issubclass(component, contracts)):
                wanted = " or ".join(contract.__name__ for contract in contracts)
                raise PluginError(f"{where} is not a {wanted} but {safe_repr(component)}")
            abstract = sorted(getattr(component, "__abstractmethods__", ()))
            if abstract:
                raise PluginError(f"{where} does not define {', '.join(abstract)}")
        return component

    def option_names(self, kind: Kind, name: str) -> frozenset[str]:
        """Return the names of the options of a component, named without a preset.

        Raises:
            NotInstalled, PluginError, ConfigError: see `load`.
        """
        return frozenset(field.name for field in dataclasses.fields(self.load(kind, name)))

    def create(
        self, kind: Kind, name: str, options: Mapping[str, Any] | None = None, *, origin: str = ""
    ) -> Any:
        """Make a component from its name and options.

        Args:
            kind: Kind of the component.
            name: Id or short name. A preset may follow after a colon, such as ``cv/cnn:imagenet``.
            options: Values by option. They take precedence over those of the preset.
            origin: The source of the options, for errors.
        """
        from .options import make_component

        exact = self._exact(kind, name)
        base, colon, preset = name.partition(":") if exact is None else (exact, "", "")
        cls = self.load(kind, base)
        chosen: dict[str, Any] = {}
        if colon:
            presets = self.presets(kind, base)
            if preset not in presets:
                hint = did_you_mean(preset, presets) or f"; it has {', '.join(presets) or 'none'}"
                raise ConfigError(f"{kind} {self.resolve(kind, base)!r} has no preset {preset!r}{hint}")
            chosen |= presets[preset]
        return make_component(cls, {**chosen, **(options or {})}, id=self.resolve(kind, base), origin=origin)

    def _exact(self, kind: Kind, name: str) -> str | None:
        """Return the id of a class that is named ``module:Class``; None for a name of another form.

        It is the id of the plugin that provides the class, or the name itself for a class of somebody's own.
        """
        if ":" not in name:
            return None
        for plugin in self.plugins:
            for short, found in plugin.components.get(kind, {}).items():
                if name == (found if isinstance(found, str) else f"{found.__module__}:{found.__qualname__}"):
                    return f"{plugin.name}/{short}"
        return None if self._own(kind, name) is None else name

    def _own(self, kind: Kind, name: str) -> type[Any] | None:
        """Return the class of somebody's own with this name, if it is imported and a component of this kind."""
        found = own_class(name)
        if found is None:
            return None
        contracts = tuple(_import(contract, f"{kind} {name!r}") for contract in CONTRACTS[kind])
        return found if issubclass(found, contracts) else None

    def presets(self, kind: Kind, name: str) -> dict[str, dict[str, Any]]:
        """Return the options of each preset of a component, by the name of the preset.

        Raises:
            NotInstalled, PluginError, ConfigError: see `load`. Also PluginError, if the presets are not mappings.
        """
        cls = self.load(kind, name)
        with plugin_errors(f"{kind} {name!r}"):
            presets = {name: dict(options) for name, options in dict(getattr(cls, "presets", {})).items()}
            if not all(
                type(name) is str for name in (*presets, *(n for one in presets.values() for n in one))
            ):
                raise TypeError("'presets' must map names to mappings of options")
        return presets


def _import(reference: str, where: str) -> Any:
    module, _, attribute = reference.partition(":")
    try:
        with guarded():
            return getattr(importlib.import_module(module), attribute)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(
            f"{where} cannot be imported from {safe_repr(reference)}: {describe_error(error, 300)}"
        ) from error
