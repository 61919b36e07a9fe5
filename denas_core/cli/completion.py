"""What the shell suggests for values: names of installed components, and runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from denas_core.registry.loading import Kind

RUNS = Path("runs")
"""Where a search without ``--out`` puts its run."""


def names(kind: Kind) -> Callable[[str], list[str]]:
    """Return a function that completes the name of a component, with the presets of spaces."""

    def complete(incomplete: str) -> list[str]:
        return _names(kind, incomplete)

    return complete


def components(incomplete: str) -> list[str]:
    """Return the components of all kinds whose name begins with `incomplete`."""
    from denas_core.registry.registry import CONTRACTS

    return [name for kind in CONTRACTS for name in _names(kind, incomplete)]


def trackers(incomplete: str) -> list[str]:
    """Return the trackers whose name begins with `incomplete`."""
    from denas_core.tracking.names import TRACKERS

    return [name for name in TRACKERS if name.startswith(incomplete)]


def race_kinds(incomplete: str) -> list[str]:
    """Return the networks beside the finalists of a race whose name begins with `incomplete`."""
    return [name for name in ("random:2", "largest", "familiar") if name.startswith(incomplete)]


def runs(incomplete: str) -> list[str]:
    """Return the runs in the current folder and in `RUNS` whose path begins with `incomplete`."""
    from denas_core.runs import files

    found = [path.parent for folder in (Path(), RUNS) for path in folder.glob(f"*/{files.CONFIG}")]
    return sorted(str(path) for path in found if str(path).startswith(incomplete))


def runs_or_spaces(incomplete: str) -> list[str]:
    """Return what completes a run or a space, runs first."""
    return [*runs(incomplete), *_names("space", incomplete)]


def _names(kind: Kind, incomplete: str) -> list[str]:
    from denas_core.registry.registry import Registry

    registry = Registry.discover()
    ids = registry.ids(kind)
    base, colon, _ = incomplete.partition(":")
    if colon and base in ids:
        ids = [f"{base}:{preset}" for preset in registry.presets(kind, base)]
    return [id for id in ids if id.startswith(incomplete)]
