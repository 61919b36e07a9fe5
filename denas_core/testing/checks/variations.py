"""The same component with one option changed."""

from __future__ import annotations

import dataclasses
import typing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace


def variations(space: SearchSpace) -> list[tuple[str, SearchSpace]]:
    """Return the space with each of its options changed in turn, by option; those that it accepts."""
    from denas_core.errors import DenasError
    from denas_core.registry.options import make_component

    hints = typing.get_type_hints(type(space))
    options = space.options()
    found = []
    for field in dataclasses.fields(space):
        for value in _others(options[field.name], hints[field.name]):
            try:
                other = make_component(type(space), {**options, field.name: value}, id=space.id)
            except DenasError:
                continue
            found.append((field.name, other))
    return found


def _others(value: Any, annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        return [choice for choice in typing.get_args(annotation) if choice != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    return [value / 2] if isinstance(value, float) else []
