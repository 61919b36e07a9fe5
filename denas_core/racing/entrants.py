"""The networks that take part in a race: finalists of a search, and others that it is compared with."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from denas_core.contracts.problem import Problem
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, NoResult, did_you_mean
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry
from denas_core.results.combination import combination_of
from denas_core.results.insight import Insight
from denas_core.runs.files import read_run
from denas_core.seeding import canonical_json, derive_rng
from denas_core.setup.bounds import reachable
from denas_core.values.architecture import Architecture
from denas_core.values.metrics import ANY_METRIC, stored_metrics
from denas_core.values.objectives import Constraint
from denas_core.values.sample import random_trials
from denas_core.values.trial import Trial

from .familiar import familiar_beside
from .largest import largest_within

Kind = Literal["finalist", "random", "largest", "familiar"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SHOWN_METRICS = ("params", "flops")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A network that takes part in a race.

    Attributes:
        arch: Its architecture.
        kinds: Why it takes part. A network that was drawn at random may be a finalist, too.
        rank: Its rank in the ranking of the run, from 1; None if the run has not scored it.
        metrics: Its parameters and FLOPs.
        name: What a familiar network is called, such as ``a ResNet``; empty for others.
    """

    arch: Architecture
    kinds: tuple[Kind, ...]
    rank: int | None
    metrics: Mapping[str, float]
    name: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Also:
    """The networks that take part beside the finalists.

    Attributes:
        random: Number of random networks.
        largest: Whether the largest network within the budgets takes part.
        familiar: Whether a familiar network of about the size of the first finalist takes part.
    """

    random: int = 0
    largest: bool = False
    familiar: bool = False

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Also:
        """Read texts such as ``random:2``, ``largest`` and ``familiar``.

        Raises:
            ConfigError: a text has another form.
        """
        random, named = 0, set()
        for text in texts:
            match = re.fullmatch(r"random(?::([1-9][0-9]{0,3}))?", text.strip())
            if match:
                random = int(match[1] or 1)
            elif text.strip() in ("largest", "familiar"):
                named.add(text.strip())
            else:
                raise ConfigError(
                    f"--also {text!r} is not random:NUMBER, such as random:2, largest or familiar"
                    f"{did_you_mean(text.partition(':')[0], KINDS[1:])}"
                )
        return cls(random=random, largest="largest" in named, familiar="familiar" in named)

    def as_list(self) -> list[str]:
        """Return the texts that `parse` reads."""
        named = [name for name, is_in in (("largest", self.largest), ("familiar", self.familiar)) if is_in]
        return [*([f"random:{self.random}"] if self.random else []), *named]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RankedRun:
    """The part of a run that a race chooses from.

    Attributes:
        path: The run directory.
        problem: Its space and its budgets.
        trials: Its trials.
        ranked: Its scored trials, best first.
        seed: Its seed.
    """

    path: Path
    problem: Problem
    trials: Sequence[Trial]
    ranked: Sequence[Trial]
    seed: int


def read_ranked_run(path: Path, space: SearchSpace, registry: Registry) -> RankedRun:
    """Return what a race needs of a run.

    Args:
        path: The run directory.
        space: Its space.
        registry: The installed plugins.

    Raises:
        NoResult: no trial is scored.
        DenasError: the run cannot be read or ranked.
    """
    with read_run(path) as store:
        config, trials = store.header()["config"], store.trials()
    if not any(trial.is_scored for trial in trials):
        raise NoResult(f"run {str(path)!r} has no scored trial, so there are no finalists to train")
    insight = Insight.read(path)
    metrics = stored_metrics(insight.metrics) if insight else ANY_METRIC
    constraints = [Constraint.parse(text, metrics) for text in config["constraints"]]
    counted = [constraint for constraint in constraints if not constraint.is_measured]
    measured = [constraint for constraint in constraints if constraint.is_measured]
    with plugin_errors(f"space {space.id!r}"):
        absolute, _ = reachable(counted, space)
    ranked, _ = combination_of(path, config, trials, lambda: registry).rank(trials)
    return RankedRun(
        path=path,
        problem=Problem(space, [*absolute, *measured]),
        trials=trials,
        ranked=ranked,
        seed=config["seed"],
    )


def choose_entrants(run: RankedRun, top: int, also: Also) -> tuple[list[Entrant], list[str]]:
    """Return the networks of a race, and notices about what is not as the user asked for.

    The random networks are drawn from those with which the search began, before any score was known. They keep the
    budgets, also those on measured metrics. A finalist may be drawn: leaving it out would make chance look worse than
    it is.

    Args:
        run: The run.
        top: Number of finalists.
        also: The other networks.
    """
    notices: list[str] = []
    finalists = run.ranked[:top]
    if len(finalists) < top:
        notices.append(
            f"the run has only {len(finalists)} scored network{'s' if len(finalists) > 1 else ''}, so {len(finalists)} "
            f"and not {top} of its finalists take part"
        )
    chosen: dict[str, list[Kind]] = {trial.arch.key: ["finalist"] for trial in finalists}
    archs = {trial.arch.key: trial.arch for trial in run.ranked}
    if also.random:
        known = random_trials(run.trials)
        drawn = derive_rng(run.seed, "race", "random").sample(known, min(also.random, len(known)))
        if len(drawn) < also.random:
            notices.append(
                f"the run has only {len(drawn)} random network{'s' if len(drawn) != 1 else ''}, so {len(drawn)} and "
                f"not {also.random} take part"
            )
        for trial in drawn:
            chosen.setdefault(trial.arch.key, []).append("random")
    if also.largest:
        largest = largest_within(run.ranked, run.problem)
        archs.setdefault(largest.key, largest)
        chosen.setdefault(largest.key, []).append("largest")
    called: dict[str, str] = {}
    if also.familiar:
        familiar, said = familiar_beside(run.ranked[0].arch, run.problem)
        notices += said
        if familiar is not None:
            name, arch = familiar
            called[arch.key] = name
            archs.setdefault(arch.key, arch)
            chosen.setdefault(arch.key, []).append("familiar")
    ranks = {trial.arch.key: place for place, trial in enumerate(run.ranked, start=1)}
    entrants = [
        Entrant(
            arch=_checked(archs[key], run),
            kinds=tuple(kinds),
            rank=ranks.get(key),
            metrics=_metrics(run.problem, archs[key]),
            name=called.get(key, ""),
        )
        for key, kinds in chosen.items()
    ]
    for entrant in entrants:
        if len(entrant.kinds) > 1:
            names = " and ".join(_names(entrant.kinds, entrant.rank))
            notices.append(f"{names} are the same network, which is trained once")
    return entrants, notices


def describe(kinds: Sequence[str], rank: int | None) -> str:
    """Return how sentences name a network, such as ``finalist 3, also a random network``."""
    first, *others = _names(kinds, rank)
    return f"{first}, also {' and '.join(others)}" if others else first


def _names(kinds: Sequence[str], rank: int | None) -> list[str]:
    names = {
        "finalist": f"finalist {rank}",
        "random": "a random network",
        "largest": "the largest network",
        "familiar": "the familiar network",
    }
    return [names[kind] for kind in KINDS if kind in kinds]


def _checked(arch: Architecture, run: RankedRun) -> Architecture:
    space = run.problem.space
    with plugin_errors(f"space {space.id!r}"):
        # A familiar network may have a notation of its own, which only `parse` reads.
        return space.parse(canonical_json(arch.as_dict()), origin=f"run {run.path}")


def _metrics(problem: Problem, arch: Architecture) -> dict[str, float]:
    with plugin_errors(f"space {problem.space.id!r}"):
        cost = problem.cost(arch)
    return {name: cost[name] for name in SHOWN_METRICS if name in cost}
