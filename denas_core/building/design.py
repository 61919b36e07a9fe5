"""The design of a build: everything that is decided, tried and measured before the search begins."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from denas_core.contracts.exporter import Exporter
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Task, TaskData
from denas_core.errors import ConfigError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry
from denas_core.setup.config import RunConfig, make_config
from denas_core.setup.setup import Setup
from denas_core.text import seconds as duration
from denas_core.training.plan import Plan
from denas_core.training.settings import TrainingSettings, make_settings
from denas_core.values.architecture import Architecture
from denas_core.values.description import DataDescription

from .choose import ChosenSpace, ChosenTask, candidate_spaces, choose_described_task
from .forms import make_exporters
from .least_time import LONGER_EVALUATION, LeastTime
from .measured_choices import FEWEST_EPOCHS, bound_of_time, choose_probe, smallest_of, try_export
from .pace import measure_pace
from .record import Decision
from .request import BuildRequest
from .schedule import SHARES, Schedule

STEPS_OF_EPOCH = 20
"""Steps that an epoch has at least, if the data are few: batches are smaller then."""

SMALLEST_BATCH = 8


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What a build does.

    Attributes:
        task: The task.
        description: What it says about the data.
        space: The space.
        config: The configuration of the search, without its budget.
        exporters: The exporters, the main one first.
        settings: The settings of trainings; their number of epochs is decided later.
        data: What the task has read.
        device: ``cpu`` or ``cuda``.
        choices: What depends on measurements.
        budget: The budget of the search, if the user sets it.
        decisions: What was decided, and why.
        notices: Sentences for the user.
    """

    task: Task[Any]
    description: DataDescription
    space: SearchSpace
    config: RunConfig
    exporters: list[Exporter]
    settings: TrainingSettings
    data: TaskData[Any]
    device: str
    choices: Choices
    budget: str | int | None
    decisions: list[Decision]
    notices: list[str]

    def plan(self, request: BuildRequest, arch: Architecture, *, source: str, **changes: Any) -> Plan:
        """Return the plan of a training with some settings changed."""
        settings = make_settings(self.task.id, {}, {**self.settings.options(), **changes})
        return Plan(
            space=self.space,
            arch=arch,
            task=self.task,
            settings=settings,
            data=request.data,
            device=self.device,
            source=source,
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What depends on measurements, so that a build that goes on takes it from its record.

    Attributes:
        space: Name of the space.
        probe: The latency probe of the search; None for that of the configuration.
        reserve: Seconds that export, measurement and report need, and reading the data again.
        evaluation: Seconds of an evaluation, as they were estimated.
        prepared: Seconds until the search could begin.
        bound: A bound on the size of networks that the time asks for; None for none.
    """

    space: str
    probe: str | None
    reserve: float
    evaluation: float = 0.0
    prepared: float = 0.0
    bound: str | None = None

    def reserved(self, evaluation: float) -> float:
        """Return the seconds that the steps after the training need, with an evaluation of so many seconds."""
        return self.reserve + LONGER_EVALUATION * evaluation


def make_design(
    request: BuildRequest, registry: Registry, schedule: Schedule, before: Choices | None = None
) -> Design:
    """Decide, and try what could fail at the end: the export of a network of the space.

    Args:
        request: What the user asks.
        registry: The installed plugins.
        schedule: The time so far. Whether the rest is enough is checked whenever more of what is needed is known.
        before: The choices with which the build began; None for a new one, for which they are made.

    Raises:
        ConfigError: the data, the space, the forms or the options do not fit together, or the time is too short.
        Infeasible: no network can keep the bounds.
        PluginError, NotInstalled: a plugin is broken or missing.
    """
    exporters = make_exporters(registry, request.forms, request.options("export"))
    chosen = choose_described_task(request, registry)
    spaces = candidate_spaces(request, registry, chosen)
    decisions = [chosen.decision]
    if before is None:
        best, data, settings, least, reason = _choose_space(request, chosen, spaces, schedule)
        least.check()
        decisions.append(Decision(step="space", what="space", value=best.name, reason=reason))
    else:
        best, least = _space_of(spaces, before.space), None
        data, settings, _ = _read(request, chosen, best)
    if best.filled.from_data:
        decisions.append(
            Decision(step="space", what="options", value=best.filled.text(), reason="the data determine them")
        )
    document = _search_document(request, best)
    config = make_config(document, origin="the command line")
    setup = Setup.from_config(config, registry)
    setup.check_feasible()
    decisions.append(_batch_decision(request, chosen, settings, data))
    bound = None if before is None else before.bound
    if least is not None:
        bound = bound_of_time(request, registry, setup, least.pace)
    if bound is not None:
        document["constraints"] = [*document["constraints"], bound]
        config = make_config(document, origin="the command line")
        decisions.append(
            Decision(
                step="space",
                what="size",
                value=bound,
                reason=f"larger networks could not be trained for {FEWEST_EPOCHS} epochs in the time",
            )
        )
    if least is not None:
        took = []
        for exporter in exporters:
            with least.trial(exporter.form):
                took.append(try_export(exporter, best.space, chosen.task, data))
        probe = None
        if setup.probe is not None and "probe" not in document and exporters[0].probe:
            decision = choose_probe(request, exporters[0], took[0], setup.probe.id)
            decisions.append(decision)
            probe = str(decision.value)
        before = Choices(
            space=best.name,
            probe=probe,
            reserve=least.reserve,
            evaluation=least.pace.evaluation,
            bound=bound,
        )
    assert before is not None, "it was given, or has been made above"
    if before.probe is not None:
        config = make_config({**document, "probe": before.probe}, origin="the command line")
    return Design(
        task=chosen.task,
        description=chosen.description,
        space=best.space,
        config=config,
        exporters=exporters,
        settings=settings,
        data=data,
        device=setup.device,
        choices=before,
        budget=document.get("budget"),
        decisions=decisions,
        notices=[*chosen.description.notices, *best.filled.left_out],
    )


def _choose_space(
    request: BuildRequest, chosen: ChosenTask, spaces: list[ChosenSpace], schedule: Schedule
) -> tuple[ChosenSpace, TaskData[Any], TrainingSettings, LeastTime, str]:
    """Return the first space whose networks have time for some epochs, or else the quickest one."""
    longest = SHARES["training"] * request.seconds
    tried = []
    for one in spaces:
        data, settings, reading = _read(request, chosen, one)
        plan = Plan(
            space=one.space,
            arch=smallest_of(one.space),
            task=chosen.task,
            settings=settings,
            data=request.data,
        )
        pace = measure_pace(plan, data, seconds=min(2.0, request.seconds / 100))
        least = LeastTime(request=request, schedule=schedule, space=one.space.id, pace=pace, reading=reading)
        epochs = longest / pace.epoch
        reason = f"{one.reason}; an epoch of its smallest network takes {duration(pace.epoch)}"
        tried.append((one, data, settings, least, reason))
        if epochs >= FEWEST_EPOCHS:
            break
    found = tried[-1] if epochs >= FEWEST_EPOCHS else min(tried, key=lambda each: each[3].pace.epoch)
    if len(tried) > 1 and (slower := [each[0].name for each in tried if each is not found]):
        return (*found[:4], f"{found[4]}; {', '.join(slower)} would be too slow for the time")
    return found


def _space_of(spaces: list[ChosenSpace], name: str) -> ChosenSpace:
    found = [one for one in spaces if one.name == name]
    if not found:
        raise ConfigError(f"the build began with the space {name!r}, which does not suit the data any more")
    return found[0]


def _read(
    request: BuildRequest, chosen: ChosenTask, one: ChosenSpace
) -> tuple[TaskData[Any], TrainingSettings, float]:
    """Return the data, the settings of their trainings, and the seconds that reading took."""
    began = time.monotonic()
    with plugin_errors(f"task {chosen.task.id!r}", guard=False):
        data = chosen.task.read(request.data, one.space)
    return data, _settings(request, chosen, data), time.monotonic() - began


def _settings(request: BuildRequest, chosen: ChosenTask, data: TaskData[Any]) -> TrainingSettings:
    given = {**_trackers(request), **request.options("training")}
    wanted = make_settings(chosen.task.id, chosen.task.recipe, {"seed": request.seed, **given})
    if "batch_size" in given:
        return wanted
    size = wanted.batch_size
    while size > SMALLEST_BATCH and len(data.train or ()) < STEPS_OF_EPOCH * size:
        size //= 2
    return make_settings(chosen.task.id, {}, {**wanted.options(), "batch_size": size})


def _batch_decision(
    request: BuildRequest, chosen: ChosenTask, settings: TrainingSettings, data: TaskData[Any]
) -> Decision:
    if "batch_size" in request.options("training"):
        reason = "you set it"
    elif settings.batch_size == make_settings(chosen.task.id, chosen.task.recipe, {}).batch_size:
        reason = f"the recipe of {chosen.task.id}"
    else:
        reason = f"there are only {len(data.train or ())} samples to train on"
    return Decision(step="space", what="batch size", value=settings.batch_size, reason=reason)


def _search_document(request: BuildRequest, best: ChosenSpace) -> dict[str, Any]:
    document: dict[str, Any] = {
        "constraints": list(request.constraints),
        "seed": request.seed,
        "device": request.device,
        **({} if request.score is None else {"score": request.score}),
    }
    if request.trackers:
        document["search"] = _trackers(request)
    return {**request.search_document(document), "space": {"name": best.name, **best.filled.options}}


def _trackers(request: BuildRequest) -> dict[str, Any]:
    return {"trackers": list(request.trackers)} if request.trackers else {}
