"""The versions that workers on other machines must have in common with their search."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping

from denas_core.system.machine import NUMERIC_PACKAGES, installed_version

_GROUP = "denas"
"""Group of the entry points of plugins."""


def versions() -> dict[str, str]:
    """Return the versions of Python, of numeric packages and of all distributions with plugins; nothing is imported."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    found |= {name: installed_version(name) for name in NUMERIC_PACKAGES}
    for point in importlib.metadata.entry_points(group=_GROUP):
        if point.dist is not None:
            found[point.dist.name] = point.dist.version
    return found


def version_difference(worker: Mapping[str, str], search: Mapping[str, str]) -> str:
    """Return how the versions of a worker differ from those of its search; empty if it has all that the search has.

    Args:
        worker: Versions by the names of distributions, or of what else must be the same.
        search: What the search has, in the same form; what only the worker has does not matter.
    """
    found = {name: worker.get(name, "not installed") for name in search}
    return ", ".join(
        f"{name} {found[name]} instead of {version}"
        for name, version in search.items()
        if found[name] != version
    )
