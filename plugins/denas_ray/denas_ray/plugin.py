"""The components of this plugin by name; their modules are imported only when they are used."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_executors() -> Components:
    """Provide the executor ``ray``."""
    return {"ray": "denas_ray.executor:Ray"}
