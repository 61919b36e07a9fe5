"""Checkpoints from which search spaces inherit weights. Plugins import the names in the stub (`__init__.pyi`)."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
