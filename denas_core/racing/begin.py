"""Beginning a race, and going on with one that was stopped."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from denas_core.errors import ConfigError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry
from denas_core.runs.files import RACE
from denas_core.tracking.names import check_trackers
from denas_core.training.environment import check_environment
from denas_core.training.plan import Plan, check_resumable, check_same_data, read_plan
from denas_core.training.preparation import shared_batch_size
from denas_core.training.processes import world_size

from .entrants import Also, choose_entrants, read_ranked_run
from .memory import memory_of_largest, plan_of_largest
from .place import check_no_training, check_unbegun
from .race import Race
from .record import Racer, RaceRecord, read_record
from .resolution import coarse_notice, resolution
from .rungs import rung_epochs


def begin_race(path: Path, plan: Plan, *, top: int, also: Also, registry: Registry) -> Race:
    """Return a race that is ready to run. Nothing is written yet.

    Args:
        path: The run directory.
        plan: The plan of the trainings of the last rung; its architecture is replaced.
        top: Number of finalists.
        also: The other networks that take part.
        registry: The installed plugins.

    Raises:
        ConfigError: the run has a race or a training already, or the data or the settings do not fit.
        Infeasible: the training of the largest network does not fit into memory.
        NoResult: the run has no finalists.
    """
    from denas_core.training.memory import check_memory

    _check_alone(plan)
    check_trackers(plan.settings.trackers)
    check_unbegun(path)
    check_no_training(path)
    if plan.settings.epochs < 1:
        raise ConfigError("a race trains, so it needs at least one epoch; set --epochs")
    entrants, notices = choose_entrants(read_ranked_run(path, plan.space, registry), top, also)
    with plugin_errors(f"task {plan.task.id!r}", guard=False):
        data = plan.task.read(plan.data, plan.space)
    largest = plan_of_largest(plan, [entrant.arch for entrant in entrants])
    need = check_memory(largest, data.facts, shared_batch_size(plan, data, []), registry=registry)
    metric, samples = plan.task.metric, len(data.valid)
    if coarse := coarse_notice(metric, samples):
        notices.append(coarse)
    kinds = {kind for entrant in entrants for kind in entrant.kinds}
    record = RaceRecord(
        run=str(path),
        top=top,
        also=also.as_list(),
        task=plan.task.id,
        metric=metric,
        data=str(plan.data),
        samples={"train": len(data.train or ()), "valid": samples},
        rungs=rung_epochs(plan.settings.epochs, len(entrants), len(kinds)),
        racers=[Racer(entrant=entrant) for entrant in entrants],
        resolution=resolution(metric, samples),
        notices=[*data.notices, *notices],
    )
    return Race(path, dataclasses.replace(plan, arch=entrants[0].arch), record, data, memory=need.total)


def resume_race(path: Path, plan: Plan, *, top: int | None, also: Also | None, registry: Registry) -> Race:
    """Return a race that goes on from where it was stopped.

    Args:
        path: The run directory.
        plan: The plan that the command line gives.
        top: Number of finalists, if the user repeats it.
        also: The other networks, if the user repeats them.
        registry: The installed plugins.

    Raises:
        ConfigError: something differs from what the race began with.
        StoreDamaged: its record cannot be read.
    """
    _check_alone(plan)
    check_trackers(plan.settings.trackers)
    directory = path / RACE
    instead = f"remove {str(directory)!r} to begin another"
    check_resumable(read_plan(directory, registry), plan, directory, what="race", instead=instead)
    record = read_record(path, plan.space)
    changed = [
        f"{name}: {before!r} -> {now!r}"
        for name, before, now in (
            ("top", record.top, record.top if top is None else top),
            ("also", list(record.also), list(record.also) if also is None else also.as_list()),
        )
        if before != now
    ]
    if changed:
        raise ConfigError(f"the race in {str(directory)!r} cannot go on with {'; '.join(changed)}; {instead}")
    memory = None
    if record.result is None:
        with plugin_errors(f"task {plan.task.id!r}", guard=False):
            data = plan.task.read(plan.data, plan.space)
        check_same_data(directory, plan, data)
        memory = memory_of_largest(plan, [one.entrant.arch for one in record.racers], data, registry)
    return Race(path, plan, record, None, memory=memory)


def _check_alone(plan: Plan) -> None:
    check_environment(plan)
    if world_size() > 1:
        raise ConfigError("a race starts its own processes; start it without torchrun")
