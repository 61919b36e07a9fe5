"""What functions of Python take in place of a path: the results of other functions, components, architectures."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from denas_core.errors import ConfigError, safe_repr

if TYPE_CHECKING:
    from denas_core.values.architecture import Architecture
    from denas_core.values.trial import Trial


@runtime_checkable
class HasPath(Protocol):
    """A result that knows its place, such as that of a search, a training, a race, a build or an export."""

    @property
    def path(self) -> Path:
        """The file or folder."""


def path_of(given: object, *, what: str) -> Path:
    """Return the path that the user gives, or that of the result that the user gives.

    Args:
        given: A text, a path, or a result.
        what: What it should be, for errors.

    Raises:
        ConfigError: it is something else.
    """
    if isinstance(given, HasPath):
        return Path(given.path)
    if isinstance(given, (str, os.PathLike)) and str(given):
        return Path(given).expanduser()
    raise ConfigError(f"{safe_repr(given)} is not {what}; give a path, or what search() or train() returned")


def component_document(given: object, *, what: str) -> dict[str, Any] | None:
    """Return the ``name`` and the options of a component that the user gives by name, as a mapping, or as an object.

    Raises:
        ConfigError: it is something else.
    """
    from denas_core.contracts.component import Component

    if given is None:
        return None
    if isinstance(given, Component):
        return {**given.options(), "name": given.id}
    if isinstance(given, str):
        return {"name": given}
    if isinstance(given, Mapping) and isinstance(given.get("name"), str):
        return dict(given)
    raise ConfigError(
        f"{what} {safe_repr(given)} is neither a name, nor a mapping with a name, nor an object"
    )


def architecture_text(given: str | Mapping[str, Any] | Architecture | Trial | None) -> str | None:
    """Return an architecture as a text that a space reads; a text is returned as it is."""
    from denas_core.values.architecture import Architecture
    from denas_core.values.trial import Trial

    if isinstance(given, Trial):
        given = given.arch
    if isinstance(given, Architecture):
        given = given.as_dict()
    return json.dumps(dict(given)) if isinstance(given, Mapping) else given
