"""What every exporter of runs promises: what it writes holds every trial, wherever it lies."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denas_core.contracts.problem import Problem
from denas_core.contracts.run_exporter import ExportedTrial, RecordedRun, RunExporter
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.strategy import History
from denas_core.errors import ConfigError, PluginError
from denas_core.results.run_export import check_trials
from denas_core.testing.check import CheckSkipped, check_on, fail, must_succeed
from denas_core.testing.samples.difference import brief
from denas_core.testing.samples.members import samples
from denas_core.values.objectives import SCORE, Objective
from denas_core.values.trial import Evaluation, State, Trial

from .calls import Call, Loan
from .processes import fault_of

Spaces = tuple[SearchSpace, ...]

STATES: tuple[State, ...] = ("scored", "infeasible", "failed", "scored", "cut")
REASON = "a reason with 'quotes', a \\ and \N{DOG}"
FRONTS = (("params",), ("params", "flops"), ())
"""Objectives of the runs beside the score."""


@dataclasses.dataclass(frozen=True, slots=True)
class Export:
    """What was exported, the path that the exporter returned, and the directory that it was given."""

    run: RecordedRun
    artefact: Path
    directory: Path


def exports(exporter: RunExporter, spaces: Spaces) -> Iterator[Export]:
    """Yield the exports of runs with trials of every state; skip the check if the exporter accepts none."""
    refusals, count = [], 0
    for run in _runs(spaces):
        with _folder() as folder:
            try:
                artefact = exporter.write(run, folder)
            except ConfigError as error:
                refusals.append(str(error))
                continue
            count += 1
            yield Export(run, artefact, folder)
    if not count:
        raise CheckSkipped(f"it refuses every run: {refusals[0]}")


def first_export(exporter: RunExporter, spaces: Spaces) -> Iterator[Export]:
    """Yield one export alone, for the check that starts a process."""
    yield from itertools.islice(exports(exporter, spaces), 1)


def calls(exporter: RunExporter, spaces: Spaces) -> Iterator[list[Call]]:
    """Yield how an export calls an exporter of runs."""
    yield from ([_call(exporter, run)] for run in _runs(spaces))


def loans(exporter: RunExporter, spaces: Spaces) -> Iterator[Loan]:
    """Yield the calls of an exporter with a run that others use too."""
    yield from (_loan(exporter, run) for run in _runs(spaces))


@check_on(exports)
def every_trial_is_read_back(exporter: RunExporter, export: Export) -> None:
    """trials() gives each trial in order: its state, its knobs and its known objectives, infinite ones too."""
    try:
        check_trials(exporter, export.run.exported(), exporter.trials(export.artefact))
    except PluginError as error:
        fail(f"{error}; write every trial, and read it from what was written")


@check_on(exports)
def files_can_be_moved(exporter: RunExporter, export: Export) -> None:
    """write() returns a path in its directory, which is read after that is renamed, as it is when it is kept."""
    path: Any = export.artefact
    if not isinstance(path, Path) or not path.is_relative_to(export.directory) or not path.exists():
        fail(f"write() returns {brief(path)}, which is not in its directory; return what a user opens")
    moved = export.directory.with_name("moved")
    export.directory.rename(moved)
    with must_succeed("after its directory is renamed trials()", "keep no path in what is written"):
        exporter.trials(moved / path.relative_to(export.directory))


@check_on(first_export)
def its_usage_runs(exporter: RunExporter, export: Export) -> None:
    """The lines of usage() run in a new Python process, in another directory."""
    code = exporter.usage(export.artefact)
    if fault := fault_of(code):
        fail(f"usage() gives {brief(code)}, which ends with {fault}; give whole lines that load it")


def _call(exporter: RunExporter, run: RecordedRun) -> Call:
    return Call("write() or trials()", lambda seed: _exported(exporter, run))


def _loan(exporter: RunExporter, run: RecordedRun) -> Loan:
    return Loan(
        "write()",
        lambda: _exported(exporter, run),
        lambda: {"trials": list(run.history.trials), "values": dict(run.history.values)},
    )


def _exported(exporter: RunExporter, run: RecordedRun) -> list[ExportedTrial] | None:
    with _folder() as folder, contextlib.suppress(ConfigError):
        return list(exporter.trials(exporter.write(run, folder)))
    return None


def _runs(spaces: Spaces) -> Iterator[RecordedRun]:
    for space, metrics in itertools.product(spaces, FRONTS):
        yield _run(space, tuple(Objective(name) for name in (SCORE, *metrics)))


def _run(space: SearchSpace, objectives: tuple[Objective, ...]) -> RecordedRun:
    trials = []
    archs = {arch.key: arch for arch in samples(space, 8)}.values()
    for index, arch in enumerate(archs):
        state = STATES[index % len(STATES)]
        evaluation = Evaluation(
            state=state,
            reason="" if state == "scored" else REASON,
            components={"value": index / 3} if state == "scored" else {},
            # An evaluation that fails early has no metrics.
            metrics={} if state == "failed" else space.cost(arch),
            violation=0.1 + index if state == "infeasible" else 0.0,
            seconds={"value": 0.25},
        )
        trials.append(Trial(index=index, generation=index // 3, arch=arch, evaluation=evaluation))
    scored = [trial for trial in trials if trial.is_scored]
    # A trial that lacks a component ranks below all others.
    values = {trial.arch.key: -math.inf if trial.index == 3 else trial.index / 3 for trial in scored}
    ranked = sorted(scored, key=lambda trial: -values[trial.arch.key])
    return RecordedRun(
        name="a run",
        problem=Problem(space, (), objectives),
        history=History(
            trials=trials, ranked=[*ranked, *(t for t in trials if not t.is_scored)], values=values
        ),
        config={"space": {"name": space.id, **space.options()}, "seed": 0},
    )


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "export"
        folder.mkdir()
        yield folder
