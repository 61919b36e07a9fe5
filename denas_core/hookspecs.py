"""Every hook of DE-NAS: what a plugin may implement, each but the last two returning components by short name.

A plugin is a module (or object) named by an entry point of the group ``denas``; the entry point's name is the plugin's
name. A hook returns a mapping from a short name, such as ``cnn``, to a class or to a lazy ``"package.module:Class"``
string; the public id is then ``<plugin>/<name>``, such as ``cv/cnn``. Lazy strings keep ``denas --help`` fast.
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
    """Called once when plugins are discovered: the search spaces, subclasses of `denas_core.SearchSpace`."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_scores() -> Components:
    """Called once when plugins are discovered: the scores, subclasses of `ProxyScore` or `CombinedScore`."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_strategies() -> Components:
    """Called once when plugins are discovered: the search strategies, subclasses of `denas_core.Strategy`."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_probes() -> Components:
    """Called once when plugins are discovered: the latency probes, subclasses of `denas_core.LatencyProbe`."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_executors() -> Components:
    """Called once when plugins are discovered: the executors, subclasses of `denas_core.Executor`."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_tasks() -> Components:
    """Called once when plugins are discovered: what networks are trained for, subclasses of `denas_core.Task`."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_exporters() -> Components:
    """Called once when plugins are discovered: forms of a trained model, subclasses of `denas_core.Exporter`."""
    raise AssertionError("a specification is never called")


@hookspec
def denas_add_commands(app: typer.Typer) -> None:
    """Called when help is asked, or for a command that the core does not have: adds commands of its own to `denas`.

    Args:
        app: An empty application. Commands are added as Typer does it, and need names that nobody else has.
    """
    raise AssertionError("a specification is never called")


@hookspec
def denas_doctor() -> Mapping[str, str]:
    """Called by ``denas doctor``, in a process of its own: what the plugin has to say about this machine.

    Returns:
        A line by subject, such as which of two libraries is in use, why, and how to get the other.
    """
    raise AssertionError("a specification is never called")
