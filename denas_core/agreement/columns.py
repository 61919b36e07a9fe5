"""Make scores from their names, and find the columns to measure. Scores share the column of a common component."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.contracts.score import ProxyScore
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.evaluation.scoring import Scoring
from denas_core.registry.registry import Registry
from denas_core.seeding import digest

from .depth_width import DepthTimesWidth

COUNTS = ("params", "flops", "depth x width")
"""Numbers that need no run of a network. They are always evaluated, for comparison."""

DEPTH_WIDTH = "depth-width"
"""Column of the third count. The first two are metrics of every network."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedScore:
    """A score that is compared with a table.

    Attributes:
        label: The name that the user gave it.
        id: Id of the score.
        options: Its options.
        scoring: Its components, and the rule that combines them into one value.
        columns: The column of each component, by name of the component.
    """

    label: str
    id: str
    options: Mapping[str, Any]
    scoring: Scoring
    columns: Mapping[str, str]


def make_scores(
    registry: Registry,
    space: SearchSpace,
    names: Sequence[str],
    *,
    settings: Mapping[str, Mapping[str, Any]],
) -> list[EvaluatedScore]:
    """Return the scores with the given names.

    Args:
        registry: The installed plugins.
        space: The space of the networks.
        names: Names such as ``zen``, or ``mine=de-score`` for a score with other options and the label ``mine``. Names
            in `COUNTS` are left out, because counts are always evaluated.
        settings: Options by label.

    Raises:
        ConfigError: a name occurs twice, or there is no such score, or the score does not support the space or needs a
            measured latency.
    """
    made: list[EvaluatedScore] = []
    for name in names:
        label, _, score_name = (part.strip() for part in name.rpartition("="))
        label = label or score_name
        if not score_name:
            raise ConfigError(f"scores {','.join(names)!r} contain an empty name; separate names by commas")
        if label in COUNTS and label == score_name:
            continue
        if label in {*COUNTS, DEPTH_WIDTH} or label in {score.label for score in made}:
            raise ConfigError(
                f"two scores have the name {label!r}; give one of them another name: NAME={score_name}"
            )
        made.append(_make_score(label, score_name, registry, space, settings.get(label, {})))
    return made


def distinct_components(scores: Sequence[EvaluatedScore]) -> dict[str, ProxyScore]:
    """Return the components of all scores by column, and `DepthTimesWidth` as the last."""
    found = {
        column: score.scoring.components[name] for score in scores for name, column in score.columns.items()
    }
    return {**found, DEPTH_WIDTH: DepthTimesWidth()}


def _make_score(
    label: str, name: str, registry: Registry, space: SearchSpace, options: Mapping[str, Any]
) -> EvaluatedScore:
    score = registry.create("score", name, options, origin=f"--set {label}" if options else "")

    def component(name: str) -> ProxyScore:
        found = registry.create("score", name)
        if not isinstance(found, ProxyScore):
            raise ConfigError(f"score {name!r} combines other scores, so it cannot be a component")
        return found

    scoring = Scoring(score, space, component)
    if scoring.needs_latency:
        raise ConfigError(
            f"score {label!r} needs a measured latency, which does not predict accuracy; set its weight to 0: "
            f"--set {label}.weights.latency=0"
        )
    columns = {name: _column(component) for name, component in scoring.components.items()}
    return EvaluatedScore(label=label, id=score.id, options=score.options(), scoring=scoring, columns=columns)


def _column(component: ProxyScore) -> str:
    # Class and options identify a component. Two scores share it even if they have different names for it.
    kind = type(component)
    return f"{kind.__name__}-{digest([kind.__module__, kind.__qualname__, component.options()], size=4)}"
