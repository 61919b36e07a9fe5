"""The names of export forms."""

from __future__ import annotations

from denas_core.registry.official import PLUGINS
from denas_core.registry.registry import Registry


def form_id(registry: Registry, name: str) -> str:
    """Return the name by which the registry finds an export form.

    ``onnx`` means ``onnx/onnx``: if its plugin is missing, the error says what to install.
    """
    known = {id.rpartition("/")[2] for id in registry.ids("exporter")}
    return f"{name}/{name}" if name in PLUGINS and name not in known else name
