"""A model without the paths of the machine on which it was trained, as exports hold it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from denas_core.contracts.component import Component
    from denas_core.contracts.trained_model import TrainedModel

    C = TypeVar("C", bound=Component)


def portable_model(model: TrainedModel) -> TrainedModel:
    """Return `model` with names of files instead of absolute paths, in its history and the options of its task."""
    return dataclasses.replace(
        model,
        task=None if model.task is None else _without_paths_in_options(model.task),
        history=without_paths(model.history),
    )


def without_paths(value: Any) -> Any:
    """Return JSON values in which each text that is an absolute path is replaced by its last part."""
    if isinstance(value, Mapping):
        return {name: without_paths(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_paths(one) for one in value]
    if isinstance(value, str) and value.startswith("/"):
        # A single stroke, or a path such as `/`, has no last part.
        return PurePosixPath(value).name or value
    return value


def _without_paths_in_options(component: C) -> C:
    changed = {
        name: kept
        for name, value in component.options().items()
        if (kept := without_paths(value)) != value and isinstance(value, (str, list, dict))
    }
    if not changed:
        return component
    # A new component would make its paths absolute again.
    made = copy.copy(component)
    for name, value in changed.items():
        setattr(made, name, value)
    return made
