"""The DE-Score and its components.

The public names are those of the stub (`__init__.pyi`); each is imported when it is first used.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
