"""The hooks of DE-NAS: the functions that a plugin can implement.

A plugin is a module (or an object) that an entry point of the group ``denas`` refers to. The name of the entry point is
the name of the plugin. All hooks except the last two return components: a mapping from a short name, such as ``cnn``,
to a class, or to a string ``"package.module:Class"`` that names the class. The component then has the public id
``<plugin>/<name>``, such as ``cv/cnn``. Use the string where you can: the module is then imported only when the
component is used, which keeps ``denas --help`` fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import typer

hookspec = pluggy.HookspecMarker("denas")
hookimpl = pluggy.HookimplMarker("denas")

Components = Mapping[str, "str | type[Any]"]


@hookspec
def denas_spaces() -> Components:
    """Return the plugin's search spaces, subclasses of `denas_core.SearchSpace`. Called once, at discovery."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_scores() -> Components:
    """Return the plugin's scores, subclasses of `ProxyScore` or `CombinedScore`. Called once, at discovery."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_strategies() -> Components:
    """Return the plugin's search strategies, subclasses of `denas_core.Strategy`. Called once, at discovery."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_probes() -> Components:
    """Return the plugin's latency probes, subclasses of `denas_core.LatencyProbe`. Called once, at discovery."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_executors() -> Components:
    """Return the plugin's executors, subclasses of `denas_core.Executor`. Called once, at discovery."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_tasks() -> Components:
    """Return the plugin's training tasks, subclasses of `denas_core.Task`. Called once, at discovery."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_exporters() -> Components:
    """Return the plugin's exporters, subclasses of `denas_core.Exporter` or `denas_core.RunExporter`.

    Called once, at discovery.
    """
    raise AssertionError("a specification is never called")


@hookspec
def denas_add_commands(app: typer.Typer) -> None:
    """Add commands to `denas`. Called when `denas` shows its help, or is given a command that the core does not have.

    Args:
        app: An empty Typer application, to which the hook adds its commands. No other plugin may use their names.
    """
    raise AssertionError("a specification is never called")


@hookspec
def denas_doctor() -> Mapping[str, str]:
    """Return notes about this machine. Called by ``denas doctor``, in a separate process.

    Returns:
        One line of text for each subject. A line says, for example, which of two libraries is in use, why, and how to
        install the other one.
    """
    raise AssertionError("a specification is never called")
