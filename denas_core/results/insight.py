"""What only the objects of a search can tell: written beside the run, so that a report outlives its plugins."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.runs.files import INSIGHT

SCHEMA = "denas.insight/1"


_KINDS = {
    **dict.fromkeys(("values", "weights", "directions", "ranges"), dict),
    **dict.fromkeys(("constraints", "objectives", "notices"), list),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """The part of a report that needs space and score.

    Attributes:
        values: Combined value by key of a scored trial; None where it is not finite.
        weights: Weight of each component.
        directions: ``maximize`` or ``minimize`` by component.
        is_relative: Whether the values are ranks within the run.
        constraints: Absolute constraints.
        ranges: Reachable range of each constrained metric.
        objectives: Axes of the Pareto front.
        drawing: The best network block by block, see `draw`; None where it cannot be drawn.
        notation: The best architecture in the space's own notation.
        size: Number of settings of the space, as text: it may exceed what a float holds.
        notices: What the user should know.
        metrics: Declarations of the metrics that space and probe have beside those of the core.
    """

    values: Mapping[str, float | None]
    weights: Mapping[str, float]
    directions: Mapping[str, str]
    is_relative: bool
    constraints: Sequence[Mapping[str, Any]]
    ranges: Mapping[str, Sequence[float]]
    objectives: Sequence[str]
    drawing: Mapping[str, Any] | None = None
    notation: str | None = None
    size: str | None = None
    notices: Sequence[str] = ()
    metrics: Sequence[Mapping[str, Any]] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, fit for JSON; no ``metrics`` where only those of the core are declared."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if not self.metrics:
            del fields["metrics"]
        return {"schema": SCHEMA, **fields}

    @classmethod
    def read(cls, run: Path) -> Insight | None:
        """Return what the search left behind; None where it left nothing that can be read."""
        try:
            document = json.loads((run / INSIGHT).read_text(encoding="utf-8"))
            if document.pop("schema") != SCHEMA:
                return None
            insight = cls(**document)
            is_whole = all(isinstance(getattr(insight, name), kind) for name, kind in _KINDS.items())
            is_whole = is_whole and isinstance(insight.metrics, (list, tuple))
            return insight if is_whole else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
