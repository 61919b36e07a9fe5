"""Classes of somebody's own, which no plugin provides: those of a notebook or of a module that is imported."""

from __future__ import annotations

import sys
from typing import Any


def own_class(name: str) -> type[Any] | None:
    """Return the class that ``module:Class`` names, if its module is imported; None otherwise.

    Nothing is imported, because the name may come from a file of somebody else.
    """
    module, colon, path = name.partition(":")
    found: Any = sys.modules.get(module)
    if not colon or found is None:
        return None
    for part in path.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) else None
