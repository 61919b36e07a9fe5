"""The step of a build that trains the winner with the time that is left."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.errors import Interrupted, NoResult
from denas_core.runs.files import MODEL as MODEL_OF_RUN
from denas_core.seeding import canonical_json
from denas_core.system.atomic import storage_errors
from denas_core.system.interrupt import time_limit
from denas_core.text import seconds as duration
from denas_core.training.plan import SETTINGS, Plan, read_plan
from denas_core.training.result import MODEL, read_result
from denas_core.training.session import train

from .pace import Pace, measure_pace
from .progress import Build

MOST_STEPS = 3000
"""Steps of a training for which there is more time than the recipe of the task asks for."""


def training_step(build: Build) -> Path:
    """Train the winner, or go on with its training; return the directory of the model.

    The model of the race is kept if it is better, or if there is no time for a longer training.

    Raises:
        Interrupted: a signal stopped the training.
        NoResult: there is no model.
    """
    if (done := build.record.done("training")) is not None:
        return build.request.out / str(done["model"])
    race = build.record.done("race")
    assert race is not None, "the race comes before the training"
    plan = _plan(build, race)
    if plan is None:
        with build.step("training", "no further training; the training of the race is kept") as result:
            result |= _of_race(build, race)
        return build.request.out / str(result["model"])
    left = _left(build)
    with build.step(
        "training", f"train the winner for at most {plan.settings.epochs} epochs", seconds=left
    ) as result:
        result |= _better(build, race, _train(build, plan, left))
    return build.request.out / str(result["model"])


def _plan(build: Build, race: Mapping[str, Any]) -> Plan | None:
    """Return the plan of the training; None if it would be no longer than that of the race.

    Nothing is resumed: a race ends its schedule, at a learning rate of 0, and its part of the time is small. A training
    with one schedule over all the time that is left can be repeated by its settings alone.
    """
    if (build.training / SETTINGS).is_file():
        return read_plan(build.training, build.registry)
    arch = build.design.space.parse(canonical_json(race["arch"]))
    plan = build.design.plan(build.request, arch, source=str(build.run), epochs=1)
    pace, timing = _pace(build, race, plan)
    build.schedule.reserve = build.design.choices.reserved(pace.evaluation)
    trained = race["epochs"] if _has_model(build) else 0
    left = _left(build)
    possible = max(left - pace.evaluation, 0.0) / pace.epoch
    room = (
        f"{timing}, and {duration(left)} of the {duration(build.schedule.until_end())} that are left are for the "
        f"training, so that about {possible:.2g} are possible"
    )
    given = build.request.options("training").get("epochs")
    recipe = build.design.settings.epochs
    wanted = int(given) if given is not None else max(recipe, MOST_STEPS // pace.steps)
    if trained and min(possible, wanted) <= trained:
        why = room if possible <= trained else f"a training has {wanted} epochs"
        reason = f"{why}; the race has trained it for {trained:.3g}"
        build.decide("training", "training", "that of the race", reason)
        return None
    if possible < wanted:
        reason = f"{room}; training ends with its time, and its schedule fits it"
    else:
        source = f"the recipe of {build.design.task.id}"
        if given is not None:
            source = "you set it"
        elif wanted > recipe:
            source = f"about {MOST_STEPS} steps, as an epoch has only {pace.steps}"
        reason = f"{source}; {room}"
    build.decide("training", "epochs at most", wanted, reason)
    # The clock of a training keeps time for its last evaluation once it has seen one.
    limit = left if possible >= 1 else left - pace.evaluation
    return build.design.plan(
        build.request, arch, source=str(build.run), epochs=wanted, max_time=f"{max(limit, 1.0):.0f}s"
    )


def _pace(build: Build, race: Mapping[str, Any], plan: Plan) -> tuple[Pace, str]:
    """Return the speed of the training, and a clause about it: by the race, or else by a few batches."""
    if race.get("pace") is not None:
        pace = Pace(**race["pace"])
        return pace, f"an epoch of this network took {duration(pace.epoch)} in the race"
    pace = measure_pace(plan, build.design.data)
    return pace, f"an epoch takes about {duration(pace.epoch)}"


def _left(build: Build) -> float:
    left = build.schedule.left("training")
    # If there is no model yet, there is time for a short training at the cost of the last steps.
    return left if _has_model(build) else max(left, build.schedule.until_end() / 2)


def _has_model(build: Build) -> bool:
    """Whether the race has left a model; one that has run out of time has none."""
    return (build.run / MODEL_OF_RUN).exists()


def _train(build: Build, plan: Plan, left: float) -> dict[str, Any] | None:
    """Train, and return what came of it; None if the time was over before a first evaluation."""
    directory = build.training
    begun = (directory / SETTINGS).is_file()
    with storage_errors(directory):
        if directory.exists() and not begun:
            # A kill came before the plan was written.
            shutil.rmtree(directory)
    observers = [*build.observer.of_training(plan), build.ticker()]
    try:
        with time_limit(max(left, build.schedule.until_end())) as limit:
            train(
                plan,
                directory,
                registry=build.registry,
                resume=begun,
                observers=observers,
                notify=build.observer.noticed,
            )
    except Interrupted:
        if not limit.is_reached:
            raise
    result = read_result(directory)
    for notice in result.notices if result is not None else ():
        build.observer.noticed(notice)
    if result is None:
        return _so_far(build, directory)
    metrics = dict(result.progress.best)
    return {"metrics": metrics, "epochs": plan.settings.epochs, "best_epoch": result.progress.best_epoch}


def _so_far(build: Build, directory: Path) -> dict[str, Any] | None:
    """Return what a training that has run out of time has come to."""
    from denas_core.models.trained import WEIGHTS, load_model

    build.decide("training", "end", "before its last epoch", "its time was over")
    if not (directory / MODEL / WEIGHTS).is_file():
        return None
    model = load_model(directory / MODEL, build.registry)
    return {"metrics": dict(model.metrics), "best_epoch": model.history.get("best_epoch")}


def _better(build: Build, race: Mapping[str, Any], trained: dict[str, Any] | None) -> dict[str, Any]:
    metric = build.design.task.metric
    if trained is None:
        return _of_race(build, race)
    value, before = trained["metrics"][metric.name], race["value"]
    if _has_model(build) and metric.is_better(before, value):
        build.decide(
            "training",
            "model",
            "that of the race",
            f"its {metric.name} of {before:.4g} is better than {value:.4g} of the longer training",
        )
        return _of_race(build, race)
    return {
        **trained,
        "model": str((build.training / MODEL).relative_to(build.request.out)),
        "metric": metric.name,
        "value": value,
    }


def _of_race(build: Build, race: Mapping[str, Any]) -> dict[str, Any]:
    model = build.run / MODEL_OF_RUN
    if not _has_model(build):
        raise NoResult(
            f"the time was over before a network was trained once on {str(build.request.data)!r}; build it again with "
            "a larger --time and another --out"
        )
    return {
        "model": str(model.relative_to(build.request.out)),
        "metric": build.design.task.metric.name,
        "value": race["value"],
        "metrics": race["metrics"],
        "epochs": race["epochs"],
    }
