"""From the names of scores to the columns that are measured: each distinct component once, whoever asks for it."""

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
"""What costs nothing, and is always there to compare with."""

DEPTH_WIDTH = "depth-width"
"""Column of the third count; the first two are metrics of every network."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedScore:
    """A score that is compared with a table.

    Attributes:
        label: What the user calls it.
        id: Id of the score behind it.
        options: Its options.
        scoring: Its components, and how they become one value.
        columns: Column of each component.
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
    """Return the scores of these names.

    Args:
        registry: The installed plugins.
        space: The space of the networks.
        names: Names such as ``zen``, or ``mine=de-score`` to call a score with other options ``mine``. Those of
            `COUNTS` are left out, since they are always there.
        settings: Options by label.

    Raises:
        ConfigError: a name is there twice, is none of the installed scores, or means a score that the space cannot
            have or that needs a measured latency.
    """
    made: list[EvaluatedScore] = []
    for name in names:
        label, _, known_as = (part.strip() for part in name.rpartition("="))
        label = label or known_as
        if not known_as:
            raise ConfigError(
                f"scores {','.join(names)!r} name a score without a name; separate them by commas"
            )
        if label in COUNTS and label == known_as:
            continue
        if label in {*COUNTS, DEPTH_WIDTH} or label in {score.label for score in made}:
            raise ConfigError(f"score {label!r} is named twice; call one of them otherwise: NAME={known_as}")
        made.append(_evaluated(label, known_as, registry, space, settings.get(label, {})))
    return made


def distinct_components(scores: Sequence[EvaluatedScore]) -> dict[str, ProxyScore]:
    """Return the components of all scores by column, and `DepthTimesWidth` as the last."""
    found = {
        column: score.scoring.components[name] for score in scores for name, column in score.columns.items()
    }
    return {**found, DEPTH_WIDTH: DepthTimesWidth()}


def _evaluated(
    label: str, name: str, registry: Registry, space: SearchSpace, options: Mapping[str, Any]
) -> EvaluatedScore:
    score = registry.create("score", name, options, origin=f"--set {label}" if options else "")

    def component(name: str) -> ProxyScore:
        found = registry.create("score", name)
        if not isinstance(found, ProxyScore):
            raise ConfigError(f"score {name!r} is a combination itself and cannot be a component")
        return found

    scoring = Scoring(score, space, component)
    if scoring.needs_latency:
        raise ConfigError(
            f"score {label!r} needs a measured latency, which says nothing of accuracy; set its weight to 0: "
            f"--set {label}.weights.latency=0"
        )
    columns = {name: _column(component) for name, component in scoring.components.items()}
    return EvaluatedScore(label=label, id=score.id, options=score.options(), scoring=scoring, columns=columns)


def _column(component: ProxyScore) -> str:
    # By class and options: two scores that share a component measure it once, whatever each calls it.
    kind = type(component)
    return f"{kind.__name__}-{digest([kind.__module__, kind.__qualname__, component.options()], size=4)}"
