"""The components of this plugin by name; their modules are imported only when they are used."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_spaces() -> Components:
    """Provide the image search spaces."""
    return {"cnn": "denas_cv.cnn.space:CNN", "vit": "denas_cv.vit.space:ViT"}


@hookimpl
def denas_tasks() -> Components:
    """Provide the tasks `image-classification` and `image-multilabel`."""
    return {
        "image-classification": "denas_cv.image.task:ImageClassification",
        "image-multilabel": "denas_cv.image.multilabel:ImageMultilabel",
    }
