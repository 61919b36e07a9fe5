"""A component that breaks each promise of every component, by the name of the check that must notice."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from denas_core import ProxyScore, option


@dataclasses.dataclass(kw_only=True)
class Good(ProxyScore):
    """The number of parameters."""

    def measure(self, candidate: Any) -> float:
        return float(candidate.cost()["params"])


@dataclasses.dataclass(kw_only=True)
class Undocumented(Good):
    pass


class Undecorated(Good):
    """Has a field that is not an option."""

    size: int = 3


@dataclasses.dataclass(kw_only=True)
class WithoutHelp(Good):
    """Has an option without help."""

    size: int = 3


@dataclasses.dataclass(kw_only=True)
class BadDefault(Good):
    """Has a default below its bound."""

    size: int = option(0, "Size", at_least=1)


@dataclasses.dataclass(kw_only=True)
class BadPreset(Good):
    """Has a preset that names another option."""

    size: int = option(3, "Size")
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"large": {"sise": 100}}


@dataclasses.dataclass(kw_only=True)
class PathOption(Good):
    """Has an option that is not a plain value."""

    where: Any = option(Path("here"), "Place")


@dataclasses.dataclass(kw_only=True)
class Growing(Good):
    """Changes its option when it is made."""

    size: int = option(3, "Size")

    def __post_init__(self) -> None:
        self.size += 1


@dataclasses.dataclass(kw_only=True)
class OwnId(Good):
    """Has an id of its own."""

    @property
    def id(self) -> str:
        return "mine"


BROKEN: dict[str, Any] = {
    "it_is_documented": (Undocumented, WithoutHelp),
    "options_are_fields": Undecorated,
    "defaults_and_presets_are_valid": (BadDefault, BadPreset),
    "options_are_plain": PathOption,
    "it_is_made_again_from_its_options": (Growing, OwnId),
}
