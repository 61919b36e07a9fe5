"""A build from its beginning to its result. It goes on where it was stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, Interrupted
from denas_core.models.export_forms import form_id
from denas_core.models.predictor import Predictor
from denas_core.models.trained import load_model
from denas_core.registry.registry import Registry
from denas_core.runs.report_page import Report
from denas_core.setup.config import make_config
from denas_core.system.atomic import storage_errors
from denas_core.system.extras import require_extra
from denas_core.system.lock import RunLock
from denas_core.tracking.names import check_trackers
from denas_core.values.html import paragraphs_html, table_html
from denas_core.values.objectives import Budget

from .bars import observer_of_build
from .design import Choices, make_design
from .ending import evaluation_step, export_step, measurement_step, report_step
from .forms import default_form
from .observer import BuildObserver
from .progress import Build
from .racing import race_step
from .record import BuildRecord, again, check_folder
from .request import BuildRequest
from .schedule import Schedule
from .searching import search_step
from .training import training_step


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """The result of a build.

    Attributes:
        path: Its folder.
        document: What ``build.json`` contains.
    """

    path: Path
    document: Mapping[str, Any]

    @property
    def metrics(self) -> Mapping[str, float]:
        """Metrics of the model on data that it was not trained on; empty if nothing was built."""
        found: Mapping[str, float] = self.document.get("result", {}).get("metrics", {})
        return found

    @property
    def bounds(self) -> Sequence[Mapping[str, Any]]:
        """Each bound with its verdict for the exported file: ``holds``, ``broken``, ``undecided`` or ``unknown``."""
        found: Sequence[Mapping[str, Any]] = self.document.get("result", {}).get("bounds", ())
        return found

    @property
    def model(self) -> Path:
        """The exported file or folder."""
        return self.path / str(self.document["result"]["model"])

    @property
    def metric(self) -> str:
        """Name of the metric of the task."""
        return str(self.document["result"]["metric"])

    @property
    def value(self) -> float:
        """Value of this metric on data that the model was not trained on."""
        return self.metrics[self.metric]

    @property
    def samples(self) -> int:
        """Number of samples that the metrics were measured on."""
        return int(self.document["result"]["samples"])

    def predictor(self, **options: Any) -> Predictor:
        """Return the exported model as a `Predictor`; the options are those of `Predictor.load`."""
        return Predictor.load(self.path, **options)

    def report(self) -> Report:
        """Return the report of the search and the race, which a notebook shows."""
        return Report.of_run(self.path)

    def _repr_html_(self) -> str:
        decisions = [[one["what"], str(one["value"]), one["reason"]] for one in self.document["decisions"]]
        table = table_html(["decision", "value", "reason"], decisions)
        if "result" not in self.document:
            return table
        values = ", ".join(f"{name} {value:.4g}" for name, value in self.metrics.items())
        said = [f"on {self.samples} samples that it was not trained on: {values}"]
        said += [f"{one['bound']}: {one['verdict']}" for one in self.bounds]
        return paragraphs_html([*said, f"model: {self.model}"]) + table


def build(
    data: str | Path,
    *,
    constraints: Sequence[str] = (),
    time: str = "10min",
    to: str | Sequence[str] = (),
    out: str | Path | None = None,
    task: str | None = None,
    space: str | None = None,
    score: str | None = None,
    seed: int = 0,
    device: str = "auto",
    settings: Sequence[str] = (),
    trackers: Sequence[str] = (),
    plan: bool = False,
    progress: bool = True,
    observer: BuildObserver | None = None,
) -> BuildResult:
    """Make a model from data: search, race, training, evaluation, export, and a measurement of the exported file.

    A build that was stopped goes on with the same call.

    Args:
        data: A file or folder that an installed task recognises.
        constraints: Bounds such as ``"latency_ms<=5"``.
        time: The time that all steps may take, such as ``"1h"``.
        to: Export forms, the main one first; by default ``onnx``, or ``torch-export`` where it is not installed.
        out: The folder of the result; by default the name of the data with ``-model``.
        task: The task; by default the one that recognises the data.
        space: The search space; by default one that suits data and time.
        score: The score of the search.
        seed: The seed of everything random.
        device: ``auto``, ``cpu`` or ``cuda``.
        settings: Further settings such as ``"training.lr=0.01"`` or ``"race.top=6"``.
        trackers: Trackers that search, race and training log to, such as ``"tensorboard"``.
        plan: Return the plan; nothing is searched, and nothing written.
        progress: Whether a notebook or a terminal shows a bar for each long step.
        observer: Is told how the build goes on; in place of the bars.

    Raises:
        ConfigError: something does not fit, or the time is too short; nothing is written.
        Infeasible, NoResult: no network keeps the bounds.
        Interrupted: a signal stopped it.
    """
    registry = Registry.discover()
    request = make_request(
        registry,
        data=Path(data),
        constraints=constraints,
        time=time,
        to=[to] if isinstance(to, str) else to,
        out=None if out is None else Path(out),
        task=task,
        space=space,
        score=score,
        seed=seed,
        device=device,
        settings=settings,
        trackers=trackers,
    )
    return run_build(request, registry, plan=plan, observer=observer or observer_of_build(progress))


def make_request(
    registry: Registry,
    *,
    data: Path,
    constraints: Sequence[str],
    time: str,
    to: Sequence[str],
    out: Path | None,
    task: str | None,
    space: str | None,
    score: str | None,
    seed: int,
    device: str,
    settings: Sequence[str],
    trackers: Sequence[str] = (),
) -> BuildRequest:
    """Return a request with what the user leaves open.

    Raises:
        ConfigError: the time is not a time, or a setting has another form.
    """
    budget = Budget.parse(time)
    if budget.seconds is None:
        raise ConfigError(f"time {time!r} is not a time, such as 90s, 10min or 1h")
    names = [registry.resolve("exporter", form_id(registry, name)) for name in to or [default_form(registry)]]
    data = data.expanduser().absolute()
    request = BuildRequest(
        data=data,
        out=(Path(f"{data.name}-model") if out is None else out).expanduser().absolute(),
        seconds=budget.seconds,
        constraints=tuple(constraints),
        forms=tuple(dict.fromkeys(names)),
        task=task,
        space=space,
        score=score,
        seed=seed,
        device=device,
        settings=tuple(settings),
        trackers=tuple(trackers),
    )
    request.check()
    # The texts of bounds and the seed are checked before data are read.
    document = {"space": space or "any", "constraints": list(constraints), "seed": seed, "device": device}
    make_config(document, origin="the command line")
    return request


def run_build(
    request: BuildRequest, registry: Registry, *, plan: bool = False, observer: BuildObserver
) -> BuildResult:
    """Run a build, or go on with it; see `build`."""
    require_extra("train", "transformers", "accelerate", "safetensors", purpose="a build")
    check_trackers(request.trackers)
    record = BuildRecord.read(request.out)
    if record is None:
        check_folder(request.out)
        record = BuildRecord.begin(request)
    else:
        record.check_same(request)
        if record.is_finished:
            return BuildResult(path=request.out, document=record.document)
    schedule = Schedule(request.seconds, spent=record.seconds)
    observer.step_begun("data", f"look at {request.data.name}", seconds=None)
    before = record.document.get("choices")
    design = make_design(request, registry, schedule, None if before is None else Choices(**before))
    choices = design.choices
    if before is None:
        choices = dataclasses.replace(choices, prepared=schedule.elapsed())
        record.document["choices"] = dataclasses.asdict(choices)
    schedule.reserve, schedule.prepared = choices.reserved(choices.evaluation), choices.prepared
    record.plan(choices.prepared, schedule.planned())
    for decision in design.decisions:
        if record.decide(decision):
            observer.decided(decision)
    for notice in design.notices:
        observer.noticed(notice)
    if plan:
        return BuildResult(path=request.out, document=record.document)
    with storage_errors(request.out):
        request.out.mkdir(parents=True, exist_ok=True)
    lock = RunLock(request.out)
    try:
        record.write(schedule.elapsed())
        build_ = Build(
            request=request,
            registry=registry,
            design=design,
            record=record,
            schedule=schedule,
            observer=observer,
        )
        _steps(build_)
    except Interrupted as error:
        # The text of the step names the command of the step.
        raise Interrupted(f"stopped; {again(request)}", signal_number=error.signal_number) from error
    finally:
        lock.release()
    return BuildResult(path=request.out, document=record.document)


def _steps(build: Build) -> None:
    search_step(build)
    race_step(build)
    directory = training_step(build)
    model = load_model(directory, build.registry)
    evaluation_step(build, model)
    model.network.to("cpu")
    for place, exporter in enumerate(build.design.exporters):
        export_step(build, exporter, model, is_main=place == 0)
    for exporter in build.design.exporters:
        measurement_step(build, exporter, model)
    report_step(build)
    steps = build.record.document["steps"]
    form = build.design.exporters[0].form
    exported, measured = steps[f"export {form}"], steps[f"measure {form}"]
    build.record.finish(
        {
            "model": exported["path"],
            "network": model.arch.key,
            "metric": build.design.task.metric.name,
            "metrics": steps["evaluation"]["metrics"],
            "samples": steps["evaluation"]["samples"],
            "nothing_learnt": steps["evaluation"].get("nothing_learnt", ""),
            "latency": measured.get("latency"),
            "bounds": measured["bounds"],
        },
        elapsed=build.schedule.elapsed(),
    )
