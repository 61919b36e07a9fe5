"""The result of a search: the best architecture, the Pareto front, and how the trials ended."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError, NoResult
from denas_core.runs.choices import CHOICES, check_choice
from denas_core.runs.files import ARCHITECTURES, BEST, FINALISTS, RESULT
from denas_core.runs.races import read_race
from denas_core.runs.report_page import Report
from denas_core.setup.setup import Setup
from denas_core.system.atomic import storage_errors, sync_directory, write_json
from denas_core.values.html import paragraphs_html
from denas_core.values.metrics import ANY_METRIC
from denas_core.values.objectives import SCORE, Objective
from denas_core.values.sample import sample_of
from denas_core.values.trial import Trial, count_states

from .against_random import AgainstRandom, against_random
from .front import course_of_hypervolume, last_volume, name_choices, select_front, select_knee
from .trial_notices import notices_of_trials

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]
    from matplotlib.axes import Axes

    from .trained import TrainedNetwork

SCHEMA = "denas.search/1"
FRONT_FILES = 40
"""Number of trials on the front that get an architecture file. ``result.json`` contains the whole front."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The result of a search.

    Attributes:
        path: The run directory.
        space: Id of the space.
        seed: Seed of the search.
        counts: Number of trials by state.
        ranked: Scored trials, best first.
        values: Combined value of each scored trial by key.
        components: Names of the components that are combined.
        is_relative: Whether the values rank trials within this run, and cannot be compared between runs.
        uses_sample: Whether they rank them against the random networks of the run, see `sample_of`.
        against_random: How the best trial compares with random networks; None if the run has no random sample.
        front: Trials that no other trial dominates, ordered by score.
        objectives: Axes of the front, as `Objective.parse` reads them.
        choices: Keys of the trials that users can choose by name, see `denas_core.runs.choices.CHOICES`.
        machine: Name of the other machine whose latency is predicted; None if it is that of the search, or none is.
        hypervolume: Hypervolume of the front, see `course_of_hypervolume`; None if it is unknown.
        notices: Sentences for the user about the result.
        is_finished: Whether the search ended by itself. False if a signal stopped it.
    """

    path: Path
    space: str
    seed: int
    counts: dict[str, int]
    ranked: Sequence[Trial]
    values: dict[str, float]
    components: Sequence[str]
    is_relative: bool
    uses_sample: bool
    front: Sequence[Trial]
    objectives: Sequence[str] = ()
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    machine: str | None = None
    hypervolume: float | None = None
    against_random: AgainstRandom | None = None
    notices: Sequence[str] = ()
    is_finished: bool = True

    @property
    def best(self) -> Trial:
        """The best trial."""
        return self.ranked[0]

    @property
    def sampled(self) -> int:
        """Number of random networks against which the values are ranks; 0 if they are ranks within the run."""
        return len(sample_of(self.ranked)) if self.uses_sample else 0

    @property
    def trained(self) -> tuple[TrainedNetwork, ...]:
        """The networks of the run that were trained by now, as the files of the run say."""
        from .trained import trained_networks

        return trained_networks(self.path)

    def select(self, name: str) -> Trial:
        """Return a trial by a name of `CHOICES`, or by the first digits of its key.

        Raises:
            ConfigError: no scored trial is meant, or several are.
        """
        key = check_choice(name, self.choices) if name in CHOICES else name
        found = [trial for trial in self.ranked if key and trial.arch.key.startswith(key)]
        if len(found) != 1:
            raise ConfigError(
                f"{len(found)} scored trials of run {str(self.path)!r} have keys that begin with {name!r}"
            )
        return found[0]

    def describe(self, trial: Trial) -> dict[str, Any]:
        """Return a trial with its combined value, as JSON can represent it."""
        row = trial.as_dict()
        return {
            "key": row["key"],
            "index": row["index"],
            "score": finite(self.values[trial.arch.key]),
            "arch": row["arch"],
            "components": row["components"],
            "metrics": row["metrics"],
            "latency": row["latency"],
            **({"predicted": row["predicted"]} if "predicted" in row else {}),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the result in the form that ``denas search --json`` prints."""
        return {
            "schema": SCHEMA,
            "run": str(self.path),
            "space": self.space,
            "seed": self.seed,
            **({} if self.machine is None else {"machine": self.machine}),
            "finished": self.is_finished,
            "trials": dict(self.counts),
            "score_is": describe_value(is_relative=self.is_relative, sampled=self.sampled),
            "against_random": None if self.against_random is None else self.against_random.as_dict(),
            "best": self.describe(self.best),
            "objectives": list(self.objectives),
            "choices": dict(self.choices),
            "hypervolume": self.hypervolume,
            "front": [self.describe(trial) for trial in self.front],
            "notices": list(self.notices),
        }

    def report(self) -> Report:
        """Return the report of the run, which a notebook shows.

        Raises:
            ConfigError: the run has none.
        """
        return Report.of_run(self.path)

    def to_pandas(self) -> pandas.DataFrame:
        """Return the scored trials as a data frame, see `trial_rows`; needs the extra ``notebook``."""
        from .frames import to_pandas, trial_rows

        return to_pandas(trial_rows(self.ranked, self.values, self.front))

    def plot_front(self, metric: str | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw the scored networks and the front by score and a metric; needs the extra ``notebook``.

        By default the metric is that of the first objective that is not the score.
        """
        from .plots import plot_front

        if metric is None:
            names = [Objective.parse(text, ANY_METRIC).name for text in self.objectives]
            metric = next((name for name in names if name != SCORE), "params")
        return plot_front(self.ranked, self.values, self.front, metric, ax=ax)

    def plot_progress(self, *, ax: Axes | None = None) -> Axes:
        """Draw the best score so far over the candidates; needs the extra ``notebook``."""
        from .plots import plot_progress

        return plot_progress(self.ranked, self.values, ax=ax)

    def _repr_html_(self) -> str:
        from .notebook import trained_html, trials_html

        counts = ", ".join(f"{count} {state}" for state, count in self.counts.items())
        random = self.against_random
        said = [] if random is None else [f"By this score the first one is {random.describe()}."]
        return (
            paragraphs_html([f"{self.space}: {counts}; {len(self.front)} on the Pareto front"])
            + trials_html(self.ranked, self.values, self.front, self.components)
            + trained_html(self.trained)
            + paragraphs_html([*said, *self.notices, f"run: {self.path}"])
        )


def describe_value(*, is_relative: bool, sampled: int, within: str = "this run") -> str:
    """Return what the combined values are, as JSON says it."""
    if not is_relative:
        return "absolute"
    return f"rank against {sampled} random networks of {within}" if sampled else f"rank within {within}"


def finite(value: float) -> float | None:
    """Return `value`, or None if it is infinite, as for a trial that lacks a component: JSON has no infinity."""
    return value if math.isfinite(value) else None


def make_result(
    path: Path,
    setup: Setup,
    trials: Sequence[Trial],
    *,
    notices: Sequence[str] = (),
    is_finished: bool = True,
) -> SearchResult:
    """Rank the trials of a run.

    Raises:
        NoResult: no trial is scored. The text gives the reason of the trial that came nearest.
    """
    counts = count_states(trials)
    if not counts["scored"]:
        raise NoResult(_why_nothing(trials, counts))
    ranked, values = setup.scoring.rank(trials)
    scored = [trial for trial in ranked if trial.is_scored]
    front = select_front(scored, values, setup.objectives)
    if not front:
        notices = [*notices, "the Pareto front is empty: no latency was stable; see 'denas doctor'"]
    notices = [*notices, *notices_of_trials(trials)]
    return SearchResult(
        path=path,
        space=setup.space.id,
        seed=setup.config.seed,
        counts=counts,
        ranked=scored,
        values=values,
        components=tuple(setup.scoring.components),
        is_relative=setup.scoring.is_relative,
        uses_sample=setup.scoring.uses_sample,
        front=front,
        objectives=[objective.text(setup.metrics) for objective in setup.objectives],
        machine=setup.config.search.machine,
        choices=name_choices(scored, select_knee(front, values, setup.objectives), front),
        hypervolume=last_volume(course_of_hypervolume(scored, values, setup.objectives)),
        against_random=against_random(scored, values, scored[0]) if setup.scoring.uses_sample else None,
        notices=notices,
        is_finished=is_finished,
    )


def write_result(result: SearchResult) -> None:
    """Write ``result.json``, with the race of the run if it had one, and an architecture file for each finalist.

    Raises:
        StorageError: the file system refuses.
    """
    directory = result.path / ARCHITECTURES
    with storage_errors(directory):
        directory.mkdir(exist_ok=True)
        sync_directory(result.path)
    chosen = [trial for trial in result.ranked if trial.arch.key in result.choices.values()]
    kept = (*result.ranked[:FINALISTS], *result.front[:FRONT_FILES], *chosen)
    finalists = {trial.arch.key: trial for trial in kept}
    for stale in directory.glob("*.json"):
        if stale.stem not in finalists:
            stale.unlink(missing_ok=True)
    for key, trial in finalists.items():
        write_json(directory / f"{key}.json", trial.arch.as_dict())
    write_json(result.path / BEST, result.best.arch.as_dict())
    race = read_race(result.path)
    write_json(result.path / RESULT, {**result.as_dict(), **({} if race is None else {"race": race})})


def _why_nothing(trials: Sequence[Trial], counts: dict[str, int]) -> str:
    if not trials:
        return "no candidate was scored within the budget; raise it"
    nearest = min(trials, key=lambda t: (t.evaluation.state == "failed", t.evaluation.violation, t.arch.key))
    return (
        f"no feasible architecture found: {counts['infeasible']} infeasible, {counts['failed']} failed; "
        f"the nearest: {nearest.evaluation.reason}"
    )
