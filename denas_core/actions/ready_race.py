"""What ``denas train RUN --top N`` does: a race of finalists, from what the user says to its result."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError

from .training_options import GivenOptions, new_plan, resumed_plan

if TYPE_CHECKING:
    from denas_core.contracts.executor import Demand, Executor
    from denas_core.racing.race import Race, RaceObserver
    from denas_core.racing.result import RaceResult
    from denas_core.registry.registry import Registry
    from denas_core.training.plan import Plan


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReadyRace:
    """A race that can begin, or go on.

    Attributes:
        race: The race.
        plan: The plan of its trainings.
        executor: Where its trainings run.
        demand: What one training needs.
        notices: Sentences about how many trainings run at a time.
    """

    race: Race
    plan: Plan
    executor: Executor
    demand: Demand
    notices: Sequence[str] = ()

    def run(self, observers: Sequence[RaceObserver] = ()) -> RaceResult:
        """Train, keep the winner, and write the report of the run again; see `Race.run`."""
        from denas_core.racing.result import RaceResult
        from denas_core.report.write import rewrite_report
        from denas_core.runs.files import TRAINING
        from denas_core.training.result import read_result

        was_over = self.race.record.result is not None
        record = self.race.run(self.executor, self.demand, observers)
        trained = read_result(self.race.path / TRAINING)
        notices = list(record.notices)
        if not was_over:
            notices += [*self.notices, *self.executor.notices(), *(trained.notices if trained else ())]
            notices += rewrite_report(self.race.path)
        return RaceResult(
            path=self.race.path,
            document=record.as_dict(),
            training=trained,
            notices=tuple(dict.fromkeys(notices)),
        )


def prepare_race(
    run: str | None,
    given: GivenOptions,
    registry: Registry,
    *,
    top: int | None,
    also: Sequence[str],
    executor: str | None,
    executor_options: Mapping[str, Any],
    resume: bool,
    notify: Callable[[str], None] = lambda text: None,
) -> ReadyRace:
    """Return a race that is ready to begin, or to go on.

    Args:
        run: The run.
        given: What the user says of the trainings.
        registry: The installed plugins.
        top: Number of finalists.
        also: The other networks.
        executor: Name of the executor that runs the trainings.
        executor_options: Its options.
        resume: Go on with a race that was stopped.
        notify: Called with each notice of a race that begins, and with a sentence if memory allows fewer trainings at a
            time than cores do.

    Raises:
        ConfigError: something does not fit, or the run has a race or a training already.
        NoResult: the run has no finalists.
    """
    from denas_core.racing.begin import begin_race, resume_race
    from denas_core.racing.entrants import Also
    from denas_core.racing.executor import choose_executor
    from denas_core.racing.place import is_begun
    from denas_core.runs.files import check_is_run

    if run is None or not Path(run).is_dir():
        named = "no run is named" if run is None else f"{run!r} is not one"
        raise ConfigError(f"a race takes the run of a search, whose finalists take part in it; {named}")
    if given.arch is not None:
        raise ConfigError(
            "--top and --arch exclude each other: a race trains the first finalists, and --arch names one network"
        )
    path = Path(run)
    check_is_run(path)
    chosen = Also.parse(also)
    if resume:
        from denas_core.runs.files import RACE

        if not is_begun(path):
            raise ConfigError(f"there is no race in {run!r} to go on with; begin one without --resume")
        plan = resumed_plan(path / RACE, given, registry)
        race = resume_race(path, plan, top=top, also=chosen if also else None, registry=registry)
    else:
        assert top is not None, "only a race that goes on knows its number of finalists"
        plan = new_plan(run, given, registry, out=None)
        race = begin_race(path, plan, top=top, also=chosen, registry=registry)
    fewer: list[str] = []
    where, demand = choose_executor(
        registry,
        executor,
        executor_options,
        trainings=len(race.record.racers),
        device=plan.device,
        memory=race.memory,
        memory_gb=plan.settings.memory_gb,
        notify=fewer.append,
    )
    if race.record.result is None:
        for notice in [*([] if resume else race.record.notices), *fewer]:
            notify(notice)
    return ReadyRace(race=race, plan=plan, executor=where, demand=demand, notices=fewer)
