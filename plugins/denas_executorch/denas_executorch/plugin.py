"""The components of this plugin by name; their modules are imported only when they are used."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_exporters() -> Components:
    """Provide the exporter ``executorch``."""
    return {"executorch": "denas_executorch.exporter:ExecuTorch"}


@hookimpl
def denas_probes() -> Components:
    """Provide the latency probe ``runtime``, which uses ExecuTorch."""
    return {"runtime": "denas_executorch.runtime:Runtime"}
