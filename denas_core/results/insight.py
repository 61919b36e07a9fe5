"""Data from the objects of a search. It is stored in the run, so that a report needs no plugins later."""

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
    """The data of a report that needs the space and the score.

    Attributes:
        values: Combined value by key of a scored trial; None if it is not finite.
        weights: Weight of each component.
        directions: ``maximize`` or ``minimize`` by component.
        is_relative: Whether the values are ranks within the run.
        constraints: Absolute constraints.
        ranges: Reachable range of each constrained metric.
        objectives: Axes of the Pareto front.
        drawing: The blocks of the best network, see `draw`; None if they cannot be determined.
        notation: The best architecture in the notation of the space.
        size: Number of settings of the space. It is text because it may be too large for a float.
        notices: Sentences for the user.
        metrics: Declarations of the metrics of the space and the probe, without those of the core.
        familiar: A familiar network of about the size of the best one, see `familiar_network`; None if the space names
            none. Earlier runs do not have it.
        uses_sample: Whether the values are ranks against the random networks of the run. Earlier runs do not say it.
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
    uses_sample: bool = False
    familiar: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can represent them, without ``metrics`` and ``familiar`` if there are none."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name in ("metrics", "familiar"):
            if not fields[name]:
                del fields[name]
        return {"schema": SCHEMA, **fields}

    @classmethod
    def read(cls, run: Path) -> Insight | None:
        """Return the data that a search has stored; None if there is none that can be read."""
        try:
            document = json.loads((run / INSIGHT).read_text(encoding="utf-8"))
            if document.pop("schema") != SCHEMA:
                return None
            insight = cls(**document)
            is_whole = all(isinstance(getattr(insight, name), kind) for name, kind in _KINDS.items())
            is_whole = is_whole and isinstance(insight.metrics, (list, tuple))
            is_whole = is_whole and isinstance(insight.uses_sample, bool)
            is_whole = is_whole and (insight.familiar is None or is_familiar(insight.familiar))
            return insight if is_whole else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def is_familiar(document: Any) -> bool:
    """Return whether a document describes a familiar network."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("name"), str)
        and isinstance(document.get("key"), str)
        and document.get("is_better") in (True, False, None)
    )
