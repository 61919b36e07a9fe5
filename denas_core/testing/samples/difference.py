"""Where two values differ, tensors within them too."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from denas_core.text import safe_repr


def difference(first: Any, second: Any, name: str = "it") -> str:
    """Return where two values differ, such as ``'weight' is [1.0] and then [2.0]``; empty if they are equal to the bit.

    Args:
        first: A value.
        second: Another one.
        name: What the values are called.
    """
    if hasattr(first, "__array__") and hasattr(second, "__array__"):
        return "" if _is_same_array(first, second) else f"{name} is {brief(first)} and then {brief(second)}"
    if type(first) is not type(second) or _size(first) != _size(second):
        return f"{name} is {brief(first)} and then {brief(second)}"
    is_whole = not isinstance(first, (Mapping, list, tuple)) and not dataclasses.is_dataclass(first)
    # Of parts, since tensors within them have no single truth value.
    if is_whole and (first == second or repr(first) == repr(second) == "nan"):
        return ""
    own, other = _parts(first), _parts(second)
    for key in own:
        if found := difference(own[key], other.get(key), repr(key)):
            return found
    return f"{name} is {brief(first)} and then {brief(second)}" if is_whole and not own else ""


def brief(value: Any, limit: int = 80) -> str:
    """Return a value as text for an error: of an array its shape and the first numbers."""
    if not hasattr(value, "__array__"):
        return safe_repr(value, limit)
    numbers = "" if getattr(value, "is_meta", False) else f"{value.flatten()[:3].tolist()} "
    return f"{numbers}of shape {tuple(value.shape)}"


def _parts(value: Any) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, (list, tuple)):
        return dict(enumerate(value))
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    # An object without an __eq__ of its own equals itself alone: what it holds is compared.
    return getattr(value, "__dict__", {})


def _size(value: Any) -> int | None:
    return len(value) if isinstance(value, (Mapping, list, tuple)) else None


def _is_same_array(first: Any, second: Any) -> bool:
    metas = getattr(first, "is_meta", False), getattr(second, "is_meta", False)
    if first.shape != second.shape or first.dtype != second.dtype or any(metas):
        return bool(first.shape == second.shape and all(metas))
    return bool((first == second).all())
