"""The networks of a run that were trained. Every list and report of trained networks reads them here."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.chance import CHANCE
from denas_core.errors import DenasError
from denas_core.models.export_folder import read_card
from denas_core.runs.builds import build_step, read_build
from denas_core.runs.files import (
    EXPORT,
    FINALISTS,
    RACE,
    TRAINING,
    TRAINING_RESULT,
    TRAINING_SETTINGS,
    TRAININGS,
    is_run,
    read_run,
)
from denas_core.runs.races import read_race
from denas_core.runs.trainings import CurvePoint, StoredTraining, mapping, number, numbers, read_training
from denas_core.values.interval import share_interval
from denas_core.values.sample import random_trials
from denas_core.values.table import Direction

from .insight import Insight

DIGITS = 16
"""Digits of a key in the name of the directory of its training."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainedNetwork:
    """A network of a run that was trained, or whose training has begun.

    Attributes:
        key: Key of its architecture; the name of its directory if no file says the key.
        origin: Why it was trained: ``best``, ``finalist 3``, ``random``, ``largest``, ``familiar``, ``rank 37``, or
            ``given`` for a training without a search. A network of several kinds has the first one that applies.
        origins: All kinds, such as ``("finalist 3", "random")``.
        group: What it was trained alike with: ``race``, ``training``, ``build``, or a folder of ``trainings/``.
        rank: Its place in the ranking of the run, from 1; None if the run has not scored it.
        score: Its combined score; None if it is not known.
        metric: Name of the metric; None if no file says it.
        direction: Whether larger or smaller values of the metric are better; None if no file says it.
        is_share: Whether the metric is a share of samples.
        value: Value of the metric for the best model; None if there is none.
        metrics: All metrics of the best model.
        samples: Number of samples that they were measured on; None if no file says it.
        interval: Ends of the 95 % interval of the value, if the metric is a share of known samples.
        chance: Value of the metric for a model that has learned nothing; None if the task does not say it.
        mistakes: What the model confuses, as the task describes it; empty if it does not.
        worst: The samples on which it is most wrong, see `denas_core.worst_answers`; empty if the task does not say it.
        epochs: Epochs that were planned; None if no file says it.
        seconds: Seconds that the training took; None if no file says it.
        curve: The evaluations in its course.
        latency: Latency of its exported file with ``median``, ``low``, ``high`` and ``verdict``; None if it was not
            measured.
        exports: Ids of the exporters whose files are in the run or its build.
        evaluation: ``metrics`` and ``samples`` of the evaluation of its build; empty if there is none.
        failure: Why its training failed; empty if it did not.
        missing: Sentences about what the files of its training do not say.
        is_finished: Whether its training has ended.
        is_kept: Whether its model is the one that the run, or its build, gives.
    """

    key: str
    origin: str
    origins: tuple[str, ...]
    group: str
    rank: int | None = None
    score: float | None = None
    metric: str | None = None
    direction: Direction | None = None
    is_share: bool = False
    value: float | None = None
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    samples: int | None = None
    interval: tuple[float, float] | None = None
    chance: float | None = None
    mistakes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    worst: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    epochs: float | None = None
    seconds: float | None = None
    curve: tuple[CurvePoint, ...] = ()
    latency: Mapping[str, Any] | None = None
    exports: tuple[str, ...] = ()
    evaluation: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    failure: str = ""
    missing: tuple[str, ...] = ()
    is_finished: bool = True
    is_kept: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the network as JSON can represent it."""
        return dataclasses.asdict(self)


def trained_networks(run: Path) -> tuple[TrainedNetwork, ...]:
    """Return the networks of a run that were trained: in its race, its training, its build and its other trainings.

    A network that was trained in two ways is listed twice, each time with its group. Nothing that is damaged or missing
    raises an error; the network says what is missing.

    Args:
        run: The directory of a run, or of a training without a search.
    """
    build = read_build(run)
    # A directory that only holds a training is one without a search.
    if not is_run(run) and (run / TRAINING_SETTINGS).is_file():
        return (_given(run),)
    ranking = _Ranking.of(run)
    found = [*_of_race(run, ranking)]
    stored = read_training(run / TRAINING)
    is_of_race = any(network.is_kept and stored.key in (network.key, None) for network in found)
    if _holds_training(run / TRAINING) and not is_of_race:
        found.append(ranking.network(stored, "training", kinds=("best",), is_kept=not build))
    if build and _holds_training(run.parent / TRAINING):
        stored = read_training(run.parent / TRAINING)
        found.append(_of_build(stored, found, ranking))
    found += _of_trainings(run, ranking)
    return tuple(_with_exports(run, build, network) for network in _with_one_kept(found, build))


@dataclasses.dataclass(frozen=True, slots=True)
class _Ranking:
    """What a run says about its networks: place and score by key, which are random, and the familiar one."""

    places: Mapping[str, int]
    values: Mapping[str, float | None]
    random: frozenset[str]
    familiar: str | None

    @classmethod
    def of(cls, run: Path) -> _Ranking:
        insight = Insight.read(run)
        values: Mapping[str, float | None] = {} if insight is None else insight.values
        order = sorted(values, key=lambda key: (_descending(number(values[key])), key))
        try:
            with read_run(run) as store:
                random = frozenset(trial.arch.key for trial in random_trials(store.trials()))
        except DenasError:
            random = frozenset()
        familiar = mapping(None if insight is None else insight.familiar).get("key")
        return cls({key: place for place, key in enumerate(order, start=1)}, values, random, familiar)

    def network(
        self, stored: StoredTraining, group: str, *, kinds: Sequence[str] = (), **others: Any
    ) -> TrainedNetwork:
        """Return a network whose training is read; others replace what its files say."""
        key = others.pop("key", None) or stored.key or stored.directory.name
        origins = tuple(kinds) or self._kinds(key)
        facts, measured = stored.metric_facts, stored.measured
        count = number(measured.get("samples"))
        direction = facts.get("direction") or _direction_of(stored)
        found = TrainedNetwork(
            key=key,
            origin=origins[0],
            origins=origins,
            group=group,
            rank=self.places.get(key),
            score=number(self.values.get(key)),
            metric=stored.metric,
            direction=direction if direction in ("maximize", "minimize") else None,
            is_share=facts.get("is_share") is True,
            value=stored.value,
            metrics=stored.metrics,
            samples=None if count is None else int(count),
            chance=_chance(stored, facts),
            mistakes=mapping(measured.get("mistakes")),
            worst=mapping(measured.get("worst")),
            epochs=stored.epochs,
            seconds=stored.seconds,
            curve=stored.curve,
            missing=stored.missing,
            is_finished=stored.is_finished,
        )
        return _with_interval(dataclasses.replace(found, **others))

    def _kinds(self, key: str) -> tuple[str, ...]:
        place = self.places.get(key)
        kinds = []
        if place is not None and place <= FINALISTS:
            kinds.append(f"finalist {place}")
        if key == self.familiar:
            kinds.append("familiar")
        if key in self.random:
            kinds.append("random")
        return tuple(kinds) or (("given",) if place is None else (f"rank {place}",))


def _direction_of(stored: StoredTraining) -> Direction | None:
    """Return the direction in which the kept value is the best of all evaluations; None if they do not show it."""
    values = [point.metric for point in stored.curve if point.metric is not None]
    if stored.value is None or not values or min(values) == max(values):
        return None
    return {max(values): "maximize", min(values): "minimize"}.get(stored.value)  # type: ignore[return-value]


def _descending(value: float | None) -> float:
    return math.inf if value is None else -value


def _given(directory: Path) -> TrainedNetwork:
    return _Ranking({}, {}, frozenset(), None).network(
        read_training(directory), "training", kinds=("given",), is_kept=True
    )


def _of_race(run: Path, ranking: _Ranking) -> list[TrainedNetwork]:
    """Return the networks of a race, each with its longest training."""
    race = read_race(run)
    if race is None:
        return []
    winner, metric = mapping(race["result"]).get("winner"), race["metric"]
    found = []
    for entrant in race["entrants"]:
        key, rank = str(entrant["key"]), entrant["rank"]
        ended = [one for one in entrant["trainings"] if one["state"] == "scored"]
        last = max(ended, key=lambda one: one["epochs"], default=None)
        begun = [
            epochs for epochs in race["rungs"] if (run / RACE / f"{epochs}-epochs" / key[:DIGITS]).is_dir()
        ]
        epochs = last["epochs"] if last else max(begun, default=None)
        is_winner = winner is not None and key == winner
        directory = run / TRAINING if is_winner else run / RACE / f"{epochs}-epochs" / key[:DIGITS]
        if epochs is None and not entrant["failure"]:
            continue
        stored = read_training(directory)
        if stored.key not in (key, None):
            # The training of the winner was replaced by another one.
            stored = dataclasses.replace(stored, curve=(), measured={}, missing=())
        metrics = numbers(last["metrics"]) if last else dict(stored.metrics)
        found.append(
            ranking.network(
                stored,
                "race",
                kinds=[f"finalist {rank}" if kind == "finalist" else str(kind) for kind in entrant["kinds"]],
                key=key,
                rank=rank if isinstance(rank, int) else None,
                metric=metric["name"],
                direction=metric["direction"],
                is_share=metric.get("is_share") is True,
                value=metrics.get(metric["name"]),
                metrics=metrics,
                samples=race["samples"]["valid"],
                chance=_chance(stored, metric),
                epochs=number(epochs),
                failure=str(entrant["failure"]),
                # The race itself keeps what a training came to.
                missing=() if entrant["failure"] or last else stored.missing,
                is_finished=last is not None,
                is_kept=is_winner,
            )
        )
    return found


def _chance(stored: StoredTraining, metric: Mapping[str, Any]) -> float | None:
    """Return the metric of a model that has learned nothing; its worst value if the training does not say it."""
    measured = number(stored.metrics.get(CHANCE))
    return number(metric.get("worst")) if measured is None else measured


def _of_trainings(run: Path, ranking: _Ranking) -> list[TrainedNetwork]:
    """Return the networks that were trained to see how well scores agree with accuracies."""
    folders = sorted(path for path in (run / TRAININGS).glob("*/*") if _holds_training(path))
    return [ranking.network(read_training(path), path.parent.name) for path in folders]


def _of_build(stored: StoredTraining, raced: Sequence[TrainedNetwork], ranking: _Ranking) -> TrainedNetwork:
    """Return the network of a build: the winner of its race, which is trained again and longer."""
    before = next((one for one in raced if one.key == stored.key), None)
    if before is None:
        return ranking.network(stored, "build", kinds=("best",), is_kept=True)
    found = ranking.network(stored, "build", kinds=before.origins, is_kept=True)
    # Both are measured on the same samples. Trainings of earlier versions do not say their number.
    return _with_interval(
        dataclasses.replace(
            found,
            direction=before.direction,
            is_share=before.is_share,
            chance=before.chance if found.chance is None else found.chance,
            samples=before.samples if found.samples is None else found.samples,
        )
    )


def _with_one_kept(found: Sequence[TrainedNetwork], build: Mapping[str, Any]) -> list[TrainedNetwork]:
    """Mark one network as kept: that of the race, unless a build has kept its own training."""
    model = build_step(build, "training").get("model")
    is_of_race = isinstance(model, str) and not model.startswith(f"{TRAINING}/")
    has_own = any(one.group == "build" for one in found) and not is_of_race
    return [
        dataclasses.replace(one, is_kept=one.is_kept and (one.group == "build") == has_own) for one in found
    ]


def _with_exports(run: Path, build: Mapping[str, Any], network: TrainedNetwork) -> TrainedNetwork:
    if not network.is_kept:
        return network
    steps = mapping(build.get("steps"))
    folders = [*sorted((run / EXPORT).glob("*")), *([run.parent] if build else [])]
    cards = [found[1] for path in folders if (found := read_card(path)) is not None and found[0] == path]
    exports = [
        str(mapping(card.get("exporter")).get("id")) for card in cards if card.get("key") == network.key
    ]
    measured = [mapping(step).get("latency") for name, step in steps.items() if name.startswith("measure ")]
    return dataclasses.replace(
        network,
        exports=tuple(dict.fromkeys(exports)),
        latency=next((one for one in measured if isinstance(one, dict)), None),
        evaluation=build_step(build, "evaluation"),
    )


def _with_interval(network: TrainedNetwork) -> TrainedNetwork:
    if not network.is_share or network.value is None or not network.samples:
        return network
    return dataclasses.replace(network, interval=share_interval(network.value, network.samples))


def _holds_training(directory: Path) -> bool:
    return any((directory / name).is_file() for name in (TRAINING_SETTINGS, TRAINING_RESULT))
