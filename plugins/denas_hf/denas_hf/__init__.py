"""Use a Hugging Face model as a search space, with the weights of its checkpoint.

The public names, on which other plugins may build, are those of the stub (`__init__.pyi`); each is imported when it is
first used.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
