"""The step of a build that trains the winner with the time that is left."""

from __future__ import annotations

import math
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

from .pace import measure_pace
from .progress import Build

LONGER = 1.2
"""How many times as many epochs as in the race a training has at least; a shorter one would bring nothing."""

MARGIN = 1.3
"""How many times as many epochs as seem possible are planned; the time ends the training earlier."""

CAREFUL = 1.5
"""How many times as long as it was measured an evaluation may take."""

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
    """Return the plan of the training; None if the race has trained the winner as long."""
    if (build.training / SETTINGS).is_file():
        return read_plan(build.training, build.registry)
    arch = build.design.space.parse(canonical_json(race["arch"]))
    plan = build.design.plan(build.request, arch, source=str(build.run), epochs=1)
    pace = measure_pace(plan, build.design.data)
    # The time of a training ends before its last evaluation.
    left = max(_left(build) - CAREFUL * pace.evaluation, 1.0)
    possible = left / pace.epoch
    given = build.request.options("training").get("epochs")
    recipe = build.design.settings.epochs
    wanted = int(given) if given is not None else max(recipe, MOST_STEPS // pace.steps)
    trained = race.get("epochs", 0)
    if race["value"] is not None and min(possible, wanted) < LONGER * trained:
        build.decide(
            "training",
            "training",
            "that of the race",
            f"in {duration(left)} there is time for {possible:.3g} epochs, and the race trained it for {trained:.3g}",
        )
        return None
    if possible < wanted:
        reason = (
            f"an epoch takes about {duration(pace.epoch)}, and {duration(left)} is left, so that about {possible:.2g} "
            "are possible; training ends with its time, and its schedule fits it"
        )
    elif given is not None:
        reason = "you set it"
    elif wanted == recipe:
        reason = f"the recipe of {build.design.task.id}"
    else:
        reason = f"about {MOST_STEPS} steps, as an epoch has only {pace.steps}"
    build.decide("training", "epochs at most", wanted, reason)
    # What is measured now may change, so that the schedule follows the time and the steps.
    epochs = max(1, min(wanted, math.ceil(MARGIN * possible)))
    return build.design.plan(
        build.request, arch, source=str(build.run), epochs=epochs, max_time=f"{left:.0f}s"
    )


def _left(build: Build) -> float:
    # If the steps before took too long, there is time for a short training at the cost of the last steps.
    return max(build.schedule.left("training"), build.schedule.until_end() / 2)


def _train(build: Build, plan: Plan, left: float) -> dict[str, Any] | None:
    """Train, and return what came of it; None if the time was over before a first evaluation."""
    directory = build.training
    begun = (directory / SETTINGS).is_file()
    with storage_errors(directory):
        if directory.exists() and not begun:
            # A kill came before the plan was written.
            shutil.rmtree(directory)
    observers = [*build.observer.of_training(plan.task.metric.name), build.ticker()]
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
    has_model = (build.run / MODEL_OF_RUN).exists()
    if before is not None and has_model and metric.is_better(before, value):
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
    if not model.exists():
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
