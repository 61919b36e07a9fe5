"""The step of a build that trains finalists side by side, and keeps the best architecture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.executor import Demand, Executor
from denas_core.errors import Interrupted, NoResult
from denas_core.racing.begin import begin_race, resume_race
from denas_core.racing.entrants import Also, choose_entrants, read_ranked_run
from denas_core.racing.executor import choose_executor
from denas_core.racing.memory import memory_of_largest
from denas_core.racing.place import is_begun
from denas_core.racing.race import Race
from denas_core.racing.record import RaceRecord
from denas_core.racing.rungs import most_trainings, ordered, rung_epochs
from denas_core.report.write import rewrite_report
from denas_core.runs.files import RACE, TRAINING
from denas_core.system.interrupt import time_limit
from denas_core.system.threads import pinned_threads
from denas_core.text import seconds as duration
from denas_core.training.plan import read_plan
from denas_core.values.architecture import Architecture

from .least_time import FEWEST_STEPS
from .pace import Pace, measure_pace, pace_of_training
from .progress import Build

TOP, SMALL_TOP = 4, 2
ALSO = ("random:1", "largest")
BEGIN = 10.0
"""Seconds in which a process that trains begins."""

SLOWER = 1.3
"""How much slower trainings side by side are than one alone."""

OVERRUN = 0.3
"""The share of the time of the training that a race may take before it is stopped."""


def race_step(build: Build) -> None:
    """Run the race, or go on with it; without time for one epoch of each network there is none.

    Raises:
        Interrupted: a signal stopped the race.
        NoResult: every training failed.
    """
    if build.record.done("race"):
        return
    if is_begun(build.run):
        plan = read_plan(build.run / RACE, build.registry)
        race = resume_race(build.run, plan, top=None, also=None, registry=build.registry)
        _race(build, race)
        return
    size = _size(build)
    best = read_ranked_run(build.run, build.design.space, build.registry).ranked[0].arch
    if size.epochs == 0:
        build.decide("race", "race", "none", size.reason)
        with build.step("race", "no race; the network with the best score is trained") as result:
            result |= {"winner": best.key, "arch": best.as_dict(), "value": None}
        return
    what = "steps of the race" if size.steps else "epochs of the race"
    build.decide("race", what, size.steps or size.epochs, size.reason)
    plan = build.design.plan(
        build.request, best, source=str(build.run), epochs=size.epochs, max_steps=size.steps
    )
    _race(build, begin_race(build.run, plan, top=size.top, also=size.also, registry=build.registry))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The size of a race.

    Attributes:
        top: Number of finalists.
        also: The other networks.
        epochs: Epochs of the last rung; 0 for no race.
        steps: Steps of each training, if there is no time for an epoch; else 0.
        reason: Why it is this size.
    """

    top: int
    also: Also
    epochs: int
    steps: int = 0
    reason: str = ""


def _size(build: Build) -> Size:
    """Return the size of the race for which there is time, with fewer networks if there is little time."""
    given = build.request.options("race")
    if given:
        also = given.get("also", list(ALSO))
        sizes = [(int(given.get("top", TOP)), [also] if isinstance(also, str) else also)]
    else:
        sizes = [(TOP, list(ALSO)), (SMALL_TOP, list(ALSO)), (SMALL_TOP, ["largest"])]
    pace = _pace(build)
    for top, names in sizes:
        found = _epochs(build, pace, top, Also.parse(names))
        if found.epochs:
            return found
    return found


def _pace(build: Build) -> Pace:
    """Return the speed of the training of the slowest finalist, as one of several side by side."""
    ranked = read_ranked_run(build.run, build.design.space, build.registry).ranked[:TOP]
    slowest = max(ranked, key=lambda trial: trial.evaluation.metrics.get("flops", 0.0)).arch
    _, demand = _executor(build, trainings=TOP, memory=_memory(build, [trial.arch for trial in ranked]))
    with pinned_threads(demand.threads):
        plan = build.design.plan(build.request, slowest, source=str(build.run), epochs=1)
        return measure_pace(plan, build.design.data)


def _executor(
    build: Build,
    *,
    trainings: int,
    memory: int | None,
    notify: Callable[[str], None] = lambda text: None,
) -> tuple[Executor, Demand]:
    chosen = build.design.config.executor
    return choose_executor(
        build.registry,
        chosen.name,
        chosen.options,
        trainings=trainings,
        device=build.design.device,
        memory=memory,
        memory_gb=build.design.settings.memory_gb,
        notify=notify,
    )


def _memory(build: Build, archs: Sequence[Architecture]) -> int:
    """Return the bytes that the training of the largest network takes."""
    plan = build.design.plan(build.request, archs[0], source=str(build.run))
    return memory_of_largest(plan, archs, build.design.data, build.registry)


def _epochs(build: Build, pace: Pace, top: int, also: Also) -> Size:
    """Return a race of some networks, as long as there is time for."""
    design = build.design
    run = read_ranked_run(build.run, design.space, build.registry)
    entrants, _ = choose_entrants(run, top, also)
    if len(entrants) < 2:
        return Size(top=top, also=also, epochs=0, reason="the search has one network only")
    kinds = len({kind for entrant in entrants for kind in entrant.kinds})
    memory = _memory(build, [entrant.arch for entrant in entrants])
    executor, _ = _executor(build, trainings=len(entrants), memory=memory)
    workers = getattr(executor, "workers", None) or 1
    slower = (SLOWER if workers > 1 else 1.0) / workers
    left = build.schedule.left("race")

    def takes(epochs: int) -> float:
        rungs = rung_epochs(epochs, len(entrants), kinds)
        counts = most_trainings(len(rungs), len(entrants), kinds)
        trained = sum(count * each for count, each in zip(counts, rungs, strict=True))
        return BEGIN + slower * trained * pace.epoch

    most = int(build.request.options("training").get("epochs", max(design.settings.epochs // 3, 1)))
    epochs = most
    while epochs > 1 and takes(epochs) > left:
        epochs -= 1
    if takes(epochs) <= left:
        reason = (
            "a third of the epochs of the recipe are enough to compare networks"
            if epochs == most
            else f"{len(entrants)} networks then take about {duration(takes(epochs))} of the {duration(left)} that is "
            "left for it"
        )
        return Size(top=top, also=also, epochs=epochs, reason=reason)
    each = (left - BEGIN) / (slower * len(entrants)) - pace.evaluation
    reason = (
        f"one epoch of each of {len(entrants)} networks would take about {duration(takes(1))}, and {duration(left)} "
        "is left for it"
    )
    steps = int(each / pace.batch)
    if steps < FEWEST_STEPS:
        return Size(top=top, also=also, epochs=0, reason=reason)
    return Size(top=top, also=also, epochs=1, steps=min(steps, pace.steps), reason=reason)


def _race(build: Build, race: Race) -> None:
    executor, demand = _executor(
        build, trainings=len(race.record.racers), memory=race.memory, notify=build.observer.noticed
    )
    left, more = build.schedule.left("race"), build.schedule.left("training")
    text = f"race of {len(race.record.racers)} networks"
    with build.step("race", text, seconds=left) as result:
        for notice in race.record.notices:
            build.observer.noticed(notice)
        try:
            with time_limit(left + OVERRUN * max(more - left, 0.0)) as limit:
                race.run(executor, demand, [*build.observer.of_race(), build.ticker()])
        except Interrupted:
            if not limit.is_reached:
                raise
        if race.record.result is None:
            result |= _so_far(build, race)
            return
        for notice in rewrite_report(build.run):
            build.observer.noticed(notice)
        found = race.record.result
        winner = race.record.racer(found["winner"]).entrant.arch
        log = build.run / TRAINING
        result |= _result(race.record, winner, found["value"], found["metrics"], found["epochs"], log)
        if race.plan.settings.max_steps:
            samples = race.plan.settings.max_steps * race.plan.settings.batch_size
            result["epochs"] = samples / max(race.record.samples["train"], 1)
        result["sentence"] = found["sentence"]
        build.decide("race", "network", f"{winner.key[:12]}", str(found["sentence"]).rstrip("."))


def _so_far(build: Build, race: Race) -> dict[str, Any]:
    """Return the best network of a race that has run out of time."""
    record = race.record
    for epochs in reversed(record.rungs):
        results = record.results(epochs)
        if results:
            key = ordered(results, record.metric)[0]
            metrics = results[key]
            build.decide(
                "race",
                "network",
                key[:12],
                f"the race ran out of time; this network has the best {record.metric.name} after {epochs} epochs",
            )
            log = race.directory_of(key, epochs)
            arch = record.racer(key).entrant.arch
            return _result(record, arch, metrics[record.metric.name], metrics, epochs, log)
    first = record.racers[0]
    if all(racer.failure() for racer in record.racers):
        raise NoResult(f"every training of the race has failed; the first one: {first.failure()}")
    build.decide("race", "network", first.key[:12], "the race ran out of time before a training had ended")
    return _result(record, first.entrant.arch, None, {}, 0, race.directory_of(first.key, record.rungs[0]))


def _result(
    record: RaceRecord,
    winner: Architecture,
    value: float | None,
    metrics: Mapping[str, float],
    epochs: int,
    training: Path,
) -> dict[str, Any]:
    pace = pace_of_training(training)
    return {
        "pace": None if pace is None else dataclasses.asdict(pace),
        "winner": winner.key,
        "arch": winner.as_dict(),
        "metric": dataclasses.asdict(record.metric),
        "value": value,
        "metrics": dict(metrics),
        "epochs": epochs,
        "rungs": list(record.rungs),
        "networks": len(record.racers),
    }
