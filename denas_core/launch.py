"""Search from Python: one call does what the command ``denas search`` does."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .contracts.component import Component
from .contracts.executor import Executor
from .contracts.prediction import Predicts
from .contracts.probe import LatencyProbe
from .contracts.score import CombinedScore, ProxyScore
from .contracts.space import SearchSpace
from .contracts.strategy import Strategy
from .errors import ConfigError, Interrupted
from .evaluation.spread import opened
from .progress.bars import bar_of_search
from .registry.registry import Registry
from .results.calibrated import calibrated_setup, describe_calibration
from .results.finalists import measure_finalists
from .results.result import SearchResult, make_result, write_result
from .runs.measurements import OF_SEARCH, with_measurements
from .setup.config import COMPONENTS, RunConfig, is_own_class, make_config
from .setup.data_options import with_data_options
from .setup.prediction import begin_predictions, restore_predictions, with_probe_of_machine
from .setup.setup import Setup
from .setup.stored import stored_document
from .spaces.samples import Example
from .study.run_directory import RunDirectory, check_installation, check_is_free, check_options
from .study.study import Observer, Study
from .tracking.names import check_trackers

LARGEST_SHARE = 1 / 2
"""The largest share of a time budget that counts as spent before the first candidate."""


def search(
    space: str | Mapping[str, Any] | SearchSpace | None = None,
    *,
    build: Callable[..., Any] | None = None,
    knobs: Mapping[str, Any] | None = None,
    inputs: Example | None = None,
    score: str | Mapping[str, Any] | ProxyScore | CombinedScore | None = None,
    strategy: str | Mapping[str, Any] | Strategy | None = None,
    probe: str | Mapping[str, Any] | LatencyProbe | None = None,
    executor: str | Mapping[str, Any] | Executor | None = None,
    data: str | Path | Mapping[str, Any] | None = None,
    constraints: Sequence[str] = (),
    objectives: Sequence[str] = ("score", "params", "flops"),
    latency: str = "predicted",
    predictor: Predicts | None = None,
    machine: str | None = None,
    trackers: Sequence[str] = (),
    budget: str | int = "60s",
    seed: int = 0,
    device: str = "auto",
    threads: int = 1,
    out: str | Path | None = None,
    progress: bool = True,
    observers: Sequence[Observer] = (),
) -> SearchResult:
    """Search a space and return the best architecture and the Pareto front.

    Each component is given as a name such as ``"cv/cnn"``, as a mapping such as ``{"name": "cv/cnn", "classes": 100}``,
    or as an object. Objects of your own classes work without a plugin.

    Args:
        space: The search space. In its place, a function can be given with `build`, `knobs` and `inputs`.
        build: A function that takes the knobs as keyword arguments and returns an ``nn.Module``.
        knobs: Its choices by name, such as ``{"depth": [2, 4, 8], "act": ["relu", "gelu"]}``.
        inputs: An example of the inputs of its networks; see `space_from_function`.
        score: The score that ranks architectures; by default the DE-Score.
        strategy: The strategy that proposes architectures; by default ``builtin/nsga2``.
        probe: The probe that measures latency, if a constraint, an objective or the score needs it; by default the
            wall clock.
        executor: The executor that runs evaluations; by default they run in this process.
        data: A data set whose samples replace noise in the batches of scores: a path, or a mapping such as
            ``{"path": "cifar10", "task": "cv/image-classification"}``. Options of a space that is given by name and
            that data determine, such as the number of classes, are those of the data, unless you set them.
        constraints: Bounds such as ``"params<=1M"``.
        objectives: Axes of the Pareto front, such as ``max:score`` and ``min:latency_ms``.
        latency: Whether the latency of candidates is ``predicted``, and only finalists are measured, or ``measured``.
        predictor: An object that predicts latencies, in place of a model of this machine. It can be pickled.
        machine: Name of another machine whose latency model was imported. It predicts, and nothing is measured here.
        trackers: Trackers that candidates are logged to: ``tensorboard``, ``mlflow``, ``wandb`` or ``trackio``.
        budget: The number of scored candidates (``200``) or a time (``"60s"``).
        seed: The seed from which all random numbers are derived.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: The number of threads that torch may use.
        out: Run directory; by default ``runs/<space>-<n>``.
        progress: Whether a notebook or a terminal shows a bar.
        observers: Objects that are called after every trial.

    Raises:
        ConfigError, Infeasible, PluginError: the search cannot start; nothing has been evaluated.
        NoResult: no architecture that satisfies the constraints was found.
        Interrupted: a signal stopped the search; `resume` continues it.
    """
    for name, texts in (("constraints", constraints), ("objectives", objectives), ("trackers", trackers)):
        if isinstance(texts, str):
            raise ConfigError(f"{name} {texts!r} must be a list of texts")
    space = _given_space(space, build, knobs, inputs)
    if space is None:
        raise ConfigError("search() needs a space, or a function with build, knobs and inputs")
    given = {"space": space, "score": score, "strategy": strategy, "probe": probe, "executor": executor}
    objects = {kind: value for kind, value in given.items() if isinstance(value, Component)}
    document: dict[str, Any] = {
        kind: {"name": value.id, **value.options()} if isinstance(value, Component) else value
        for kind, value in given.items()
        if value is not None
    }
    document |= {
        "constraints": list(constraints),
        "objectives": list(objectives),
        "search": {"latency": latency, "machine": machine, "trackers": list(trackers)},
        "budget": budget,
        "seed": seed,
        "device": device,
        "threads": threads,
        "out": None if out is None else str(out),
        "data": str(data) if isinstance(data, Path) else data,
    }
    document = {key: value for key, value in document.items() if value is not None}
    config = make_config(document, origin="search()")
    return run_search(
        config,
        Registry.discover(),
        objects=objects,
        observers=[*observers, *bar_of_search(progress)],
        predictor=predictor,
    )


def resume(
    path: str | Path,
    *,
    budget: str | int | None = None,
    objects: Mapping[str, Component] | None = None,
    progress: bool = True,
    build: Callable[..., Any] | None = None,
    knobs: Mapping[str, Any] | None = None,
    inputs: Example | None = None,
    observers: Sequence[Observer] = (),
    predictor: Predicts | None = None,
) -> SearchResult:
    """Continue a search that was stopped, or extend a finished one by a larger budget.

    Args:
        path: The run directory.
        budget: The new budget, which includes the work that is already done; by default the old budget.
        objects: The components of the run that no plugin provides, by kind (``{"space": MySpace()}``).
        progress: Whether a notebook or a terminal shows a bar.
        build: The function whose networks were searched, if the search was given one; and so are `knobs` and `inputs`.
        knobs: Its choices.
        inputs: An example of the inputs of its networks.
        observers: Objects that are called after every trial.
        predictor: The object that predicted latencies from the beginning, if there was one.

    Raises:
        ConfigError: `path` is not a run directory, or something that the run depends on has changed.
    """
    given = None if objects is None else objects.get("space")
    space = _given_space(given, build, knobs, inputs)
    if space is not None:
        objects = {**(objects or {}), "space": space}
    settings = {} if budget is None else {"budget": budget}
    return resume_search(
        Path(path),
        lambda stored: {**stored, **settings},
        objects=objects,
        observers=[*observers, *bar_of_search(progress)],
        predictor=predictor,
    )


def run_search(
    config: RunConfig,
    registry: Registry,
    *,
    objects: Mapping[str, Component] | None = None,
    observers: Sequence[Observer] = (),
    predictor: Predicts | None = None,
) -> SearchResult:
    """Run a new search from a configuration; see `search`."""
    check_trackers(config.search.trackers)
    config = with_probe_of_machine(config, registry, objects=objects)
    found: list[str] = []
    if "space" not in (objects or {}):
        config, found = with_data_options(config, registry)
    setup = Setup.from_config(config, registry, objects=objects)
    setup.notices += found
    if config.out is not None:
        # This is checked first because measuring latency bounds takes seconds.
        check_is_free(config.out)
    setup.open_data()
    began = time.monotonic()
    model = begin_predictions(setup, predictor=predictor, on_progress=_calibrating(observers))
    calibrated = time.monotonic() - began
    setup.resolve_latency_bounds()
    setup.check_feasible()
    # A search that measures each candidate does not count the measurement of the full architecture.
    spent = calibrated if model is None else time.monotonic() - began
    if setup.budget.seconds is not None:
        # On a busy machine a calibration takes longer than it should. The search still needs time.
        spent = min(spent, LARGEST_SHARE * setup.budget.seconds)
    with (
        opened(setup.executor, setup.demand()),
        RunDirectory.create(setup, registry, out=config.out, model=model, spent=spent) as run,
    ):
        return _finish(run, setup, observers, ranking=setup)


def resume_search(
    path: Path,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    *,
    registry: Registry | None = None,
    objects: Mapping[str, Component] | None = None,
    observers: Sequence[Observer] = (),
    predictor: Predicts | None = None,
) -> SearchResult:
    """Resume a run with changes to its configuration; see `resume`."""
    registry = registry or Registry.discover()
    with RunDirectory.open(path) as run:
        stored = run.store.header()
        config = make_config(change(stored_document(stored["config"])), origin="the command line")
        _check_available(config, objects or {}, path)
        check_trackers(config.search.trackers)
        setup = Setup.from_config(config, registry, objects=objects)
        check_options(stored, setup, path=path)
        setup.open_data()
        setup.notices += check_installation(stored, setup, registry, path=path)
        restore_predictions(setup, path, predictor=predictor)
        with opened(setup.executor, setup.demand()):
            run.go_on_with(stored, setup)
            return _finish(run, setup, observers, ranking=calibrated_setup(path, setup, registry))


def _given_space(
    space: Any,
    build: Callable[..., Any] | None,
    knobs: Mapping[str, Any] | None,
    inputs: Example | None,
) -> Any:
    """Return `space`, or the space of a function, if that is given in its place."""
    function = {"build": build, "knobs": knobs, "inputs": inputs}
    missing = [name for name, value in function.items() if value is None]
    if len(missing) == len(function):
        return space
    if space is not None:
        raise ConfigError(f"give either a space or {', '.join(function)}, and not both")
    if missing:
        raise ConfigError(
            f"a search of a function's networks needs build, knobs and inputs; {missing[0]} is missing"
        )
    from .spaces.function import space_from_function

    assert build is not None and knobs is not None, "the caller has given all three"
    return space_from_function(build, knobs=knobs, inputs=inputs)


def _calibrating(observers: Sequence[Observer]) -> Callable[[int, int], None]:
    """Return a function that tells the observers which want to know it how far a calibration is."""

    def tell(done: int, total: int) -> None:
        for observer in observers:
            with contextlib.suppress(Exception):
                if hasattr(observer, "calibrating"):
                    observer.calibrating(done, total)

    return tell


def _finish(
    run: RunDirectory, setup: Setup, observers: Sequence[Observer], *, ranking: Setup
) -> SearchResult:
    study = Study(setup, run.store, observers=[*_trackers(run, setup), *observers], path=run.path)
    interrupted: Interrupted | None = None
    try:
        study.run(measure_finalists)
    except Interrupted as error:
        interrupted = error
    # The trials of a study have no timings, and the files of the finalists do not need them.
    trials = with_measurements(study.trials, run.store.measurements().get(OF_SEARCH, {}))
    if interrupted is None or any(trial.is_scored for trial in trials):
        notices = [*study.notices, *describe_calibration(run.path)]
        result = make_result(run.path, ranking, trials, notices=notices, is_finished=interrupted is None)
        write_result(result)
        # The report is written after the result, so that a failing report cannot lose the result.
        from .report.write import report_search

        failures = report_search(
            run.path, run.store, ranking, notices=notices, is_finished=interrupted is None
        )
        result = dataclasses.replace(result, notices=[*result.notices, *failures])
    if interrupted is not None:
        raise interrupted
    return result


def _trackers(run: RunDirectory, setup: Setup) -> list[Observer]:
    """Start the trackers that the configuration names, and return the observer that logs to them."""
    if not setup.config.search.trackers:
        return []
    from .study.tracking import SearchTracking
    from .training.environment import only_settings_count

    with only_settings_count():
        return [SearchTracking(setup, run.path, trials=len(run.store.searched_trials()))]


def _check_available(config: RunConfig, objects: Mapping[str, Component], path: Path) -> None:
    for kind in COMPONENTS:
        name = getattr(config, kind).name
        if is_own_class(name) and kind not in objects:
            raise ConfigError(
                f"the {kind} of run {str(path)!r} is the class or function {name!r} of somebody's own; resume it from "
                f"Python with denas_core.resume({str(path)!r}, objects={{{kind!r}: ...}})"
            )
