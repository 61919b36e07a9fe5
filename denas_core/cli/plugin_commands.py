"""Commands that plugins add to ``denas``; plugins are loaded for the help and for commands that the core lacks."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import typer

from denas_core.errors import DenasError, NotInstalled, PluginError
from denas_core.registry.official import COMMANDS
from denas_core.text import describe_error, safe_repr

from .help_pages import HelpGroup
from .output import print_notice
from .table import OPEN_GROUPS

if TYPE_CHECKING:
    from denas_core.registry.loading import Plugin
    from denas_core.registry.registry import Registry

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PluginCommands:
    """The commands of all plugins.

    Attributes:
        commands: The command objects of Typer, by name. The name of a command in a group of the core is that of the
            group, a space and its own.
        names: Names of the commands, by plugin.
        faults: The reason why a plugin adds no command, by plugin.
    """

    commands: Mapping[str, Any]
    names: Mapping[str, list[str]]
    faults: Mapping[str, str]


class CommandGroup(HelpGroup):
    """The commands of the core, followed by those of the plugins, which are loaded when they are needed."""

    _faults: Mapping[str, str] | None = None
    _of_other_cores: tuple[str, ...] = ()

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of that name, or None.

        Raises:
            NotInstalled: the command belongs to a plugin of DE-NAS that is not installed.
            PluginError: the command belongs to a plugin that does not load.
        """
        if cmd_name not in self.commands or cmd_name in OPEN_GROUPS:
            faults = self._load()
            if cmd_name not in self.commands:
                _explain(cmd_name, faults)
        return super().get_command(ctx, cmd_name)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the exit codes, and a line for each plugin that does not fit the version of the core."""
        self._load()
        super().format_epilog(ctx, formatter)
        for line in self._of_other_cores:
            formatter.write(f"\n{line}\n")

    def _load(self) -> Mapping[str, str]:
        if self._faults is None:
            from denas_core.registry.loading import OTHER_CORE
            from denas_core.registry.registry import Registry

            registry = Registry.discover()
            self._of_other_cores = tuple(
                f"note: {plugin.distribution} {plugin.version} {plugin.reason}"
                for plugin in registry.plugins
                if plugin.reason.startswith(OTHER_CORE)
            )
            found = plugin_commands(registry, taken=self.commands)
            for name, command in found.commands.items():
                group, _, own = name.rpartition(" ")
                owner: Any = self.commands[group] if group else self
                owner.commands[own] = command
            self._faults = found.faults
        return self._faults


class OpenGroup(HelpGroup):
    """A group of the core to which plugins may add commands."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of that name, or None.

        Raises:
            NotInstalled: the command belongs to a plugin of DE-NAS that is not installed.
            PluginError: the command belongs to a plugin that does not load.
        """
        if cmd_name not in self.commands:
            _explain(f"{self.name} {cmd_name}", {})
        return super().get_command(ctx, cmd_name)


def plugin_commands(registry: Registry, *, taken: Collection[str]) -> PluginCommands:
    """Return the commands of all plugins; a plugin that fails, or uses a name that is taken, adds none of its commands.

    Args:
        registry: The installed plugins.
        taken: Names of the commands of the core.
    """
    found: dict[str, dict[str, Any]] = {}
    faults: dict[str, str] = {}
    for plugin in registry.plugins:
        if plugin.add_commands is None:
            continue
        try:
            found[plugin.name] = _commands_of(plugin, plugin.add_commands, taken)
        except DenasError as error:
            faults[plugin.name] = str(error)
    for name in {name for commands in found.values() for name in commands}:
        owners = [owner for owner, commands in found.items() if name in commands]
        if len(owners) > 1:
            # Neither is used: the choice would depend on the order of plugins.
            faults |= {owner: f"command {name!r} is added by {' and '.join(owners)}" for owner in owners}
    good = {owner: commands for owner, commands in found.items() if owner not in faults}
    return PluginCommands(
        commands={name: command for commands in good.values() for name, command in commands.items()},
        names={owner: list(commands) for owner, commands in good.items()},
        faults=faults,
    )


def _commands_of(plugin: Plugin, add: Callable[..., object], taken: Collection[str]) -> dict[str, Any]:
    from denas_core.isolation.plugin_errors import plugin_errors

    owner = f"denas_add_commands() of {plugin.distribution} {plugin.version}"
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    with plugin_errors(owner):
        add(app=app)
        # A function that cannot be a command, for example with a parameter without a type, fails here.
        commands = by_full_name(typer.main.get_group(app).commands)
        for name, command in commands.items():
            if any(NAME.fullmatch(word) is None for word in name.split(" ")):
                raise PluginError(
                    f"{owner} adds a command {safe_repr(name)}; use lower-case letters, digits and hyphens"
                )
            group, _, own = name.rpartition(" ")
            if name in taken or own in OPEN_GROUPS.get(group, ()):
                raise PluginError(f"{owner} adds a command {name!r}, which DE-NAS already has; rename it")
            _report_command_errors(command, name, f"{plugin.distribution} {plugin.version}")
    return commands


def _report_command_errors(command: Any, words: str, distribution: str) -> None:
    """Report unexpected exceptions of a command as errors of its plugin."""
    for name, inner in getattr(command, "commands", {}).items():
        _report_command_errors(inner, f"{words} {name}", distribution)
    if command.callback is not None:
        command.callback = _report_errors(command.callback, f"command {words!r} of {distribution}")


def by_full_name(commands: Mapping[str, Any]) -> dict[str, Any]:
    """Return commands by name. Those in a group that the core has too are commands of that group."""
    found: dict[str, Any] = {}
    for name, command in commands.items():
        if name in OPEN_GROUPS and hasattr(command, "commands"):
            found |= {f"{name} {own}": inner for own, inner in command.commands.items()}
        else:
            found[name] = command
    return found


def _report_errors(callback: Callable[..., Any], owner: str) -> Callable[..., Any]:
    @functools.wraps(callback)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return callback(*arguments, **options)
        except (DenasError, OSError, MemoryError, typer.Exit, typer.Abort):
            raise
        except Exception as error:
            # Typer has its own copy of Click, so an error of usage is recognised by its method.
            if hasattr(error, "format_message"):
                raise
            raise PluginError(f"{owner} failed: {describe_error(error)}") from error

    return call


def _explain(name: str, faults: Mapping[str, str]) -> None:
    owner = COMMANDS.get(name)
    if owner is not None:
        from denas_core.registry.registry import Registry

        plugin = next((each for each in Registry.discover().plugins if each.name == owner), None)
        if plugin is None:
            raise NotInstalled(
                f"command {name!r} needs the plugin {owner!r}, which is not installed; install it with: "
                f"pip install denas-{owner}"
            )
        reason = faults.get(owner) or plugin.reason
        raise PluginError(
            f"command {name!r} is unavailable: plugin {owner!r} ({plugin.distribution} {plugin.version}) is "
            f"{'broken' if plugin.status == 'ok' else plugin.status}: {reason or 'it does not add the command'}; "
            "'denas doctor' says how to fix it"
        )
    for plugin_name, reason in faults.items():
        print_notice(f"note: plugin {plugin_name!r} adds no commands: {reason}")
