"""What the user asks of a build."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, did_you_mean
from denas_core.setup.config import RunConfig, apply_settings

OWN_PARTS = ("training", "task", "export", "race")
"""The first words of settings that are not those of the configuration of a search."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """What the user asks of a build. A build that goes on must be asked for the same.

    Attributes:
        data: The data set, an absolute path.
        out: The folder of the build.
        seconds: The time that it may take.
        constraints: Bounds such as ``latency_ms<=5``.
        forms: Ids of the exporters.
        task: The task that the user names.
        space: The space that the user names, with or without a preset.
        score: The score that the user names.
        seed: The seed of everything random.
        device: ``auto``, ``cpu`` or ``cuda``.
        settings: What ``--set`` was given: ``space``, ``score``, ``strategy``, ``probe`` and other keys of a search,
            ``task``, ``training`` and ``export``, and ``race.top`` and ``race.also``.
        trackers: Trackers that its steps log to. A build that goes on may have others.
    """

    data: Path
    out: Path
    seconds: float
    constraints: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    task: str | None = None
    space: str | None = None
    score: str | None = None
    seed: int = 0
    device: str = "auto"
    settings: tuple[str, ...] = ()
    trackers: tuple[str, ...] = ()

    def options(self, part: str) -> dict[str, Any]:
        """Return the settings of one of `OWN_PARTS`.

        Raises:
            ConfigError: a setting has another form.
        """
        own = [text for text in self.settings if _part_of(text) == part]
        found = apply_settings({part: {}}, own)[part]
        if not isinstance(found, dict):
            raise ConfigError(f"--set {own[-1]!r} names no option; write {part}.NAME=VALUE")
        return found

    def check(self) -> None:
        """Check what needs no plugin.

        Raises:
            ConfigError: a setting has another form.
        """
        for part in OWN_PARTS:
            self.options(part)
        unknown = self.options("race").keys() - {"top", "also"}
        if unknown:
            raise ConfigError(f"--set race.{min(unknown)}: a race of a build has the options top and also")
        self.search_document({})

    def search_document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration of a search, changed by the settings.

        Raises:
            ConfigError: a setting names no key.
        """
        rest = [text for text in self.settings if _part_of(text) not in OWN_PARTS]
        for text in rest:
            known = (*RunConfig.model_fields, *OWN_PARTS)
            if (part := _part_of(text)) not in known:
                raise ConfigError(f"--set {text!r}: there is no part {part!r}{did_you_mean(part, known)}")
            if part in ("out", "data"):
                raise ConfigError(f"--set {text!r}: a build chooses {part} itself")
        return apply_settings(document, rest)

    def as_dict(self) -> dict[str, Any]:
        """Return the request as JSON can represent it; what is left to the build is None."""
        return {
            "data": str(self.data),
            "seconds": self.seconds,
            "constraints": list(self.constraints),
            "to": list(self.forms),
            "task": self.task,
            "space": self.space,
            "score": self.score,
            "seed": self.seed,
            "device": self.device,
            "settings": list(self.settings),
        }


def _part_of(setting: str) -> str:
    return setting.partition("=")[0].strip().partition(".")[0]
