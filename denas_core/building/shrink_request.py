"""What ``denas shrink`` is asked for."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from denas_core.setup.config import apply_settings

PARTS = ("space", "score", "task", "training", "export")
"""Steps that have settings."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ShrinkRequest:
    """What is asked for.

    Attributes:
        checkpoint: Folder of the checkpoint, or its id on the hub.
        out: Folder of the result.
        constraints: Bounds of the smaller network, such as ``params<=0.6x``.
        form: Id of the exporter.
        data: Data for the fine-tuning; None for none.
        task: Name of the task of the data; None for the one that recognises them.
        budget: Budget of the search.
        seed: Seed of everything random.
        device: ``auto``, ``cpu`` or ``cuda``.
        vocabulary: Tokens to keep of the vocabulary; None for all.
        settings: Further settings, such as ``training.epochs=2``.
    """

    checkpoint: str
    out: Path
    constraints: tuple[str, ...]
    form: str
    data: Path | None = None
    task: str | None = None
    budget: str = "60s"
    seed: int = 0
    device: str = "auto"
    vocabulary: int | None = None
    settings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the request as JSON can represent it."""
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self), default=str))
        return plain

    def options(self, part: str) -> dict[str, Any]:
        """Return the settings of a part, such as ``training``."""
        return dict(apply_settings({name: {} for name in PARTS}, self.settings)[part])
