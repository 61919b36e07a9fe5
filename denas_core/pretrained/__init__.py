"""Checkpoints that search spaces inherit weights from; plugins import the names of the stub."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
