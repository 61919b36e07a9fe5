"""Use a Hugging Face model as a search space, with the weights of its checkpoint.

`Auto` is the space ``hf/auto``. `ResizedModels` is what it shares with other spaces of models in several sizes, which
other plugins may write: `Family` says what is known of the weights of a model, `Original` which model it is, `Bounds`
which sizes can be chosen, and `Start` has all of them with the checkpoint.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bounds import Bounds as Bounds
    from .family import Family as Family
    from .network import build_network as build_network
    from .original import Dimensions as Dimensions
    from .original import Original as Original
    from .resized import ResizedModels as ResizedModels
    from .space import Auto as Auto
    from .start import Start as Start

_MODULES = {
    "Auto": "space",
    "Bounds": "bounds",
    "Dimensions": "original",
    "Family": "family",
    "Original": "original",
    "ResizedModels": "resized",
    "Start": "start",
    "build_network": "network",
}

__all__ = [
    "Auto",
    "Bounds",
    "Dimensions",
    "Family",
    "Original",
    "ResizedModels",
    "Start",
    "build_network",
]


def __getattr__(name: str) -> Any:
    # This package is imported whenever plugins are listed, so its modules must wait.
    if name in _MODULES:
        return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
