"""What only the objects of a search can tell: written beside the run, so that a report outlives its plugins."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import DenasError
from denas_core.isolation.blame import blamed
from denas_core.report.sections.drawing import draw
from denas_core.setup.setup import Setup
from denas_core.values.trial import Trial

FILE = "insight.json"
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

    @classmethod
    def of(cls, setup: Setup, trials: Sequence[Trial]) -> Insight:
        """Ask the objects of a search."""
        ranked, values = setup.scoring.rank(trials)
        best = next((trial.arch for trial in ranked if trial.is_scored), None)
        notices: list[str] = []
        drawing = notation = size = None
        try:
            # A report without a picture is better than none, whatever a space does.
            with blamed(f"space {setup.space.id!r}"):
                size = str(setup.space.size())
                if best is not None:
                    notation = str(setup.space.format(best))
                    drawing = draw(setup.space, best)
        except DenasError as error:
            notices.append(f"the network is not drawn: {error}")
        components = setup.scoring.components
        return cls(
            values={key: value if math.isfinite(value) else None for key, value in values.items()},
            weights=dict(setup.scoring.weights),
            directions={
                name: components[name].direction if name in components else "minimize"
                for name in setup.scoring.weights
            },
            is_relative=setup.scoring.is_relative,
            constraints=[
                {"text": str(c), "metric": c.metric, "upper": c.upper, "bound": c.bound}
                for c in setup.problem.constraints
            ],
            ranges={name: list(ends) for name, ends in setup.ranges.items()},
            objectives=[objective.name for objective in setup.objectives],
            drawing=drawing,
            notation=notation,
            size=size,
            notices=notices,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, fit for JSON."""
        return {"schema": SCHEMA, **{f.name: getattr(self, f.name) for f in dataclasses.fields(self)}}

    @classmethod
    def read(cls, run: Path) -> Insight | None:
        """Return what the search left behind; None where it left nothing that can be read."""
        try:
            document = json.loads((run / FILE).read_text(encoding="utf-8"))
            if document.pop("schema") != SCHEMA:
                return None
            insight = cls(**document)
            is_whole = all(isinstance(getattr(insight, name), kind) for name, kind in _KINDS.items())
            return insight if is_whole else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
