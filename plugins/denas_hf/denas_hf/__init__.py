"""Use a Hugging Face model as a search space, with the weights of its checkpoint.

`Auto` is the space ``hf/auto``, on which other plugins may build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .space import Auto as Auto

__all__ = ["Auto"]


def __getattr__(name: str) -> Any:
    # This package is imported whenever plugins are listed, so the module of the space must wait.
    if name == "Auto":
        from .space import Auto

        return Auto
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
