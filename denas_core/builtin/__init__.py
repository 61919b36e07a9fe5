"""Strategies, executor, probe and exporters of the core. They form a plugin like any other."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
