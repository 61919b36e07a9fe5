"""What denas-cv adds to DE-NAS."""

from __future__ import annotations

from denas_core.hookspecs import Components, hookimpl


@hookimpl
def denas_spaces() -> Components:
    """Offer the image search spaces."""
    return {"cnn": "denas_cv.cnn.space:CNN"}
