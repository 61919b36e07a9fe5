"""Make scores from names or from a run, and find the columns to measure. Scores share those of common components."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.contracts.score import ProxyScore
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.evaluation.scoring import LATENCY, Scoring
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


def make_scores_of_run(
    registry: Registry, space: SearchSpace, score: Mapping[str, Any], changes: Mapping[str, Any]
) -> list[EvaluatedScore]:
    """Return the score of a run, and each of its components alone.

    A measured latency is left out. So is a component that is one of `COUNTS`, because counts are always evaluated.

    Args:
        registry: The installed plugins.
        space: The space of the run.
        score: The name of the score and its options, as in the configuration of the run.
        changes: Options that replace those of the run.

    Raises:
        ConfigError: see `make_scores`.
    """
    options = {name: value for name, value in score.items() if name != "name"} | dict(changes)
    if LATENCY in options.get("weights", {}):
        options["weights"] = {**options["weights"], LATENCY: 0.0}
    combined = _make_score(label_of_score(score["name"]), score["name"], registry, space, options)
    made = [combined]
    if combined.scoring.is_relative or len(combined.columns) > 1:
        made += [
            _alone(name, component, combined, space)
            for name, component in combined.scoring.components.items()
            if name not in (*COUNTS, combined.label)
        ]
    return made


def label_of_score(name: str) -> str:
    """Return the short name of the score of a run, such as ``de-score``."""
    return name.rpartition("/")[2]


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


def _alone(name: str, component: ProxyScore, combined: EvaluatedScore, space: SearchSpace) -> EvaluatedScore:
    def resolve(name: str) -> ProxyScore:
        raise ConfigError(f"{combined.id!r} has no component {name!r}")

    # The component may be an object of the combined score that no plugin registers, so it gets a name here.
    same = type(component)(**component.options()).named(f"{combined.id}:{name}")
    scoring = Scoring(same, space, resolve)
    (inner,) = scoring.components
    return EvaluatedScore(
        label=name,
        id=combined.id,
        options=same.options(),
        scoring=scoring,
        columns={inner: combined.columns[name]},
    )


def _column(component: ProxyScore) -> str:
    # Class and options identify a component. Two scores share it even if they have different names for it.
    kind = type(component)
    return f"{kind.__name__}-{digest([kind.__module__, kind.__qualname__, component.options()], size=4)}"
