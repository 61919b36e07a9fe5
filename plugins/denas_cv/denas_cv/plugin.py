"""What denas-cv adds to DE-NAS."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_spaces() -> Components:
    """Offer the image search spaces."""
    return {"cnn": "denas_cv.cnn.space:CNN", "vit": "denas_cv.vit.space:ViT"}


@hookimpl
def denas_tasks() -> Components:
    """Offer what image networks are trained for."""
    return {"image-classification": "denas_cv.image.task:ImageClassification"}
