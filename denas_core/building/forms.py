"""The export forms of a build, which are checked before work begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.contracts.exporter import Exporter
from denas_core.errors import ConfigError
from denas_core.models.export_forms import form_id
from denas_core.registry.registry import Registry


def default_form(registry: Registry) -> str:
    """Return the form of a build whose user names none: ONNX if it is installed, else a program of PyTorch."""
    return next((id for id in registry.ids("exporter") if id == "onnx/onnx"), "builtin/torch-export")


def make_exporters(registry: Registry, names: Sequence[str], options: Mapping[str, Any]) -> list[Exporter]:
    """Return the exporters of a build.

    Args:
        registry: The installed plugins.
        names: Names of the forms, the first of which is the main one.
        options: Options of the forms. With several forms, each gets those that it has.

    Raises:
        ConfigError: a form is unknown or named twice, has no such option, or is not for networks.
        NotInstalled, PluginError: an exporter is missing or broken.
    """
    found: list[Exporter] = []
    for name in dict.fromkeys(names):
        id = registry.resolve("exporter", form_id(registry, name))
        kind = registry.load("exporter", id)
        if not issubclass(kind, Exporter):
            raise ConfigError(f"--to {name!r} writes the trials of a run, and a build exports a network")
        own = registry.option_names("exporter", id)
        chosen = {key: value for key, value in options.items() if len(set(names)) == 1 or key in own}
        found.append(registry.create("exporter", id, chosen, origin="--set"))
    return found
