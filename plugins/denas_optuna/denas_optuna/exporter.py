"""The exporter ``optuna/optuna``: a run as an Optuna study."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core import ExportedTrial, RecordedRun, RunExporter, Trial, silent_libraries

from .replay import VIOLATION, violation

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

    from denas_core import Knob

FILE = "study.db"
STATE, SCORE, METRICS = "state", "score", "metrics"
"""User attributes of a trial that are read back."""


@dataclasses.dataclass(kw_only=True)
class StudyFile(RunExporter):
    """All trials of a run as an Optuna study in an SQLite file, which optuna-dashboard opens.

    The study has the name of the run's directory, and one direction for each objective. A scored trial is complete, one
    that was cut is pruned, an infeasible one is pruned with a positive constraint, and a failed one fails. The user
    attributes of a trial are its key, generation, components, metrics, latency, and the reason why it has no score;
    those of the study are the configuration of the run.
    """

    def write(self, run: RecordedRun, directory: Path) -> Path:
        """Write the file."""
        import optuna

        path = directory / FILE
        knobs = run.problem.space.knobs()
        objectives = run.problem.objectives
        with silent_libraries("optuna"), _storage(path) as storage:
            study = optuna.create_study(
                storage=storage, study_name=run.name, directions=[each.direction for each in objectives]
            )
            study.set_metric_names([each.name for each in objectives])
            for name, value in run.config.items():
                study.set_user_attr(name, value)
            study.add_trials(_trials_of(run, {knob.name: (knob, distribution_of(knob)) for knob in knobs}))
        return path

    def trials(self, artefact: Path) -> Sequence[ExportedTrial]:
        """Read the trials from the study."""
        import optuna

        with silent_libraries("optuna"), _storage(artefact) as storage:
            study = optuna.load_study(study_name=None, storage=storage)
            return [_read_back(trial, study.metric_names or []) for trial in study.get_trials(deepcopy=False)]

    def usage(self, artefact: Path) -> str:
        """Return Python code that loads the study, and the command that shows it."""
        return "\n".join(
            [
                f"# or in a browser: optuna-dashboard {_url(artefact)}",
                "import optuna",
                f"study = optuna.load_study(study_name=None, storage={_url(artefact)!r})",
            ]
        )


def distribution_of(knob: Knob) -> BaseDistribution:
    """Return the distribution of a knob, whose parameters are the values of the knob.

    Whole numbers at equal distances are a range, which charts draw as an axis. All others are categories, because a
    range would have values between them that the space does not have.
    """
    from optuna.distributions import CategoricalDistribution, IntDistribution

    values = knob.values
    steps = {b - a for a, b in itertools.pairwise(values)} if all(type(v) is int for v in values) else set()  # type: ignore[operator]
    if len(steps) == 1 and (step := steps.pop()) > 0:
        return IntDistribution(int(values[0]), int(values[-1]), step=int(step))
    return CategoricalDistribution(values)


def _trials_of(run: RecordedRun, knobs: dict[str, tuple[Knob, BaseDistribution]]) -> Iterator[FrozenTrial]:
    from optuna.trial import TrialState, create_trial

    states = {
        "scored": TrialState.COMPLETE,
        "cut": TrialState.PRUNED,
        "infeasible": TrialState.PRUNED,
        "failed": TrialState.FAIL,
    }
    is_constrained = any(trial.evaluation.state == "infeasible" for trial in run.history.trials)
    end = datetime.datetime.now()
    for trial in run.history.trials:
        values = list(run.values(trial).values())
        state = states[trial.evaluation.state]
        if state == TrialState.COMPLETE and len(values) < len(run.problem.objectives):
            # Optuna has no complete trial without all of its values.
            state = TrialState.FAIL
        found = create_trial(
            state=state,
            values=values if state == TrialState.COMPLETE else None,
            params=trial.arch.as_dict(),
            distributions={name: knobs[name][1] for name in trial.arch.values},
            user_attrs=_attributes(run, trial),
            constraints={VIOLATION: violation(trial, run.problem.constraints)}
            if is_constrained and state != TrialState.FAIL
            else None,
        )
        # A run has no time of day for each trial, but how long it took; the trials follow each other.
        found.datetime_start, end = (
            end,
            end + datetime.timedelta(seconds=sum(trial.evaluation.seconds.values())),
        )
        found.datetime_complete = end
        yield found


def _attributes(run: RecordedRun, trial: Trial) -> dict[str, Any]:
    result = trial.evaluation
    known: dict[str, Any] = {
        "key": trial.arch.key,
        "generation": trial.generation,
        STATE: result.state,
        "reason": result.reason,
        SCORE: run.history.values.get(trial.arch.key),
        "components": dict(result.components),
        METRICS: dict(result.metrics),
        "latency": None if result.latency is None else dict(result.latency),
    }
    return {name: value for name, value in known.items() if value not in (None, "", {}) and _is_json(value)}


def _is_json(value: Any) -> bool:
    # The dashboard reads attributes as JSON, which has no infinity.
    return not (isinstance(value, float) and not math.isfinite(value))


def _read_back(trial: FrozenTrial, names: Sequence[str]) -> ExportedTrial:
    from optuna.trial import TrialState

    attributes = trial.user_attrs
    if trial.state == TrialState.COMPLETE:
        values = dict(zip(names, trial.values, strict=True))
    else:
        known = {**attributes.get(METRICS, {}), **{n: attributes[n] for n in (SCORE,) if n in attributes}}
        values = {name: known[name] for name in names if name in known}
    return ExportedTrial(attributes[STATE], dict(trial.params), values)


@contextlib.contextmanager
def _storage(path: Path) -> Iterator[RDBStorage]:
    from optuna.storages import RDBStorage

    storage = RDBStorage(_url(path))
    try:
        yield storage
    finally:
        # The file is renamed later; an open connection would keep a journal beside its old name.
        storage.remove_session()
        storage.engine.dispose()


def _url(path: Path) -> str:
    return f"sqlite:///{path.resolve()}"
