"""Parts that networks of a search space are made of, and what they cost; plugins import the names of the stub."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
