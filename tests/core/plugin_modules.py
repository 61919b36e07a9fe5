"""Plugins written for one test: the modules, and what the registry makes of one."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint

from denas_core.registry.loading import Plugin
from denas_core.registry.registry import Registry

Install = Callable[..., EntryPoint]


def only(point: EntryPoint) -> Plugin:
    """Return what the registry makes of one entry point."""
    (plugin,) = Registry.discover([point]).plugins
    return plugin


GOOD = """
    from denas_core.hookspecs import hookimpl

    @hookimpl
    def denas_scores():
        return {"zen": "good_scores:Zen", "width": "good_scores:Width"}
"""

GOOD_SCORES = """
    import dataclasses
    from denas_core.contracts.score import ProxyScore

    @dataclasses.dataclass(kw_only=True)
    class Zen(ProxyScore):
        presets = {"large": {"size": 100, "depth": 3}}
        size: int = 1
        depth: int = 1

        def measure(self, candidate):
            return 1.0

    class Width(ProxyScore):
        pass
"""
