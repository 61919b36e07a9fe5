"""The search loop: ask the strategy, evaluate its proposals, and store the trials, until the budget is spent."""

from __future__ import annotations

import contextlib
import itertools
import shlex
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from denas_core.errors import Interrupted, NoResult, StoreDamaged
from denas_core.evaluation.evaluator import Evaluator
from denas_core.runs.store import Store
from denas_core.setup.setup import Setup
from denas_core.system.interrupt import Interruption, interruptible
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation, Trial, count_states

from .generation_sizes import GenerationSizes
from .pace import Pace
from .proposals import propose, with_rungs

FIRST_FAILURES = 25
"""A search stops if this many candidates failed and none is scored, because then the cause is not the candidates."""

TRIALS_PER_CANDIDATE = 20
"""A search for n scored candidates also ends after this many times n trials, as the constraints may allow too few."""


RESERVED_SHARE, RESERVED_SECONDS = 1 / 8, 60.0
"""Share of a time budget, and seconds at most, for measuring finalists if the latency of candidates is predicted."""

CANDIDATES_PER_ROUND = 2
"""Candidates that each worker evaluates before the latencies of all of them are measured."""


class Observer(Protocol):
    """An object whose methods a search calls while it runs. It cannot change the result.

    If latencies are predicted, two further methods are called where an observer has them: ``calibrating(done, total)``
    with the number of networks that are measured for the model, before the search starts, and
    ``measuring(study, count)`` before a finalist is measured, with the number of those measured so far.
    """

    def started(self, study: Study) -> None:
        """Called when the search starts or resumes."""

    def trial_done(self, study: Study, trial: Trial) -> None:
        """Called when a trial is stored."""

    def finished(self, study: Study) -> None:
        """Called when the search ends because its budget is spent, or because of a signal."""


class Conclusion(Protocol):
    """What a search does after its last candidate: it measures the latency of finalists whose latency is predicted."""

    def __call__(
        self, study: Study, evaluator: Evaluator, store: Store, *, is_stopped: Callable[[], bool]
    ) -> bool:
        """Measure until enough is known, the budget is spent, or `is_stopped` returns True; then return False."""


class Study:
    """A search in progress.

    Attributes:
        setup: The objects of the search.
        path: The run directory.
        trials: The stored trials in order, without their seconds, which are only in the store.
        counts: Number of stored trials by state.
        notices: Sentences for the user about the course of the search.
    """

    def __init__(self, setup: Setup, store: Store, *, path: Path, observers: Sequence[Observer] = ()) -> None:
        self.setup = setup
        self.path = path
        self.notices = list(setup.notices)
        self.trials: list[Trial] = []
        self.counts = count_states(())
        self._store = store
        self._observers = list(observers)
        self._seconds_before = store.active_seconds()
        self._start = time.monotonic()
        self._pace = Pace(setup.budget, reserved=self._reserved_seconds())
        self._sizes = GenerationSizes.read(store.header())
        for trial in store.searched_trials():
            self._pace.remember(trial)
            self._remember(trial)

    def run(self, conclude: Conclusion | None = None) -> None:
        """Search until the budget is spent or the space is exhausted.

        Args:
            conclude: Measures finalists after the last candidate, if latencies are predicted.

        Raises:
            Interrupted: a signal stopped the search between two candidates. All finished trials are stored.
            NoResult: all candidates so far have failed.
            StorageError: a trial could not be stored.
        """
        self._start = time.monotonic()
        evaluator = self.setup.evaluator()
        executor = self.setup.executor
        self._pace.start()
        self._tell("started")
        try:
            with interruptible() as interruption:
                interruption.on_first = executor.stop
                self._generations(evaluator, interruption)
                is_searched = self._is_spent() or not interruption
                if is_searched and conclude is not None and self._measures_finalists:
                    self._store.set_active_seconds(self.active_seconds())
                    is_searched = conclude(
                        self, evaluator, self._store, is_stopped=lambda: bool(interruption)
                    )
                    self._pace.step("measuring finalists")
                # Otherwise a resumed search would spend the seconds after the last trial again.
                self._store.set_active_seconds(self.active_seconds())
                self._explain_end(interruption)
        finally:
            self.notices += executor.notices()
            self._tell("finished")
        if interruption and not is_searched:
            raise Interrupted(
                f"stopped after {len(self.trials)} trials, all of them kept; go on with: "
                f"denas search --resume {shlex.quote(str(self.path))}",
                signal_number=interruption.signal_number,
            )

    def active_seconds(self) -> float:
        """Return the seconds of work, summed over resumes."""
        return self._seconds_before + time.monotonic() - self._start

    def measuring(self, count: int) -> None:
        """Tell the observers that a finalist is measured now, after `count` others."""
        for observer in list(self._observers):
            if hasattr(observer, "measuring"):
                self._tell_one(observer, "measuring", count)

    def seconds_left(self) -> float | None:
        """Return the seconds of a time budget that are not spent; None for a budget of candidates."""
        seconds = self.setup.budget.seconds
        return None if seconds is None else seconds - self.active_seconds()

    def best(self) -> tuple[Trial | None, float]:
        """Return the best trial so far and its combined value among the trials so far."""
        if not self.counts["scored"]:
            return None, 0.0
        ranked, values = self.setup.scoring.rank(self.trials)
        return ranked[0], values[ranked[0].arch.key]

    def progress(self) -> float:
        """Return the share of the budget that is spent, from 0 to 1."""
        budget = self.setup.budget
        if budget.candidates is not None:
            return min(self.counts["scored"] / budget.candidates, 1.0)
        return min(self.active_seconds() / (budget.seconds or 1.0), 1.0)

    def _generations(self, evaluator: Evaluator, interruption: Interruption) -> None:
        # A resumed search asks for its last generation again, since only the generations before it are complete.
        generation = self.trials[-1].generation if self.trials else 0
        closed = sum(trial.generation < generation for trial in self.trials)
        while not self._is_spent() and not interruption:
            proposals = self._ask(generation, self.trials[:closed])
            if not proposals:
                self.notices.append("the strategy found nothing new to propose within the constraints")
                return
            self._check_finished(proposals, closed)
            self._pace.step(f"proposing generation {generation}")
            self._evaluate(evaluator, proposals, generation, closed, interruption)
            generation, closed = generation + 1, closed + self._limit(proposals, generation)

    def _explain_end(self, interruption: Interruption) -> None:
        budget = self.setup.budget.candidates
        if budget is not None and self._has_tried_enough(budget) and self.counts["scored"] < budget:
            self.notices.append(
                f"stopped after {len(self.trials)} trials with {self.counts['scored']} of {budget} scored: the "
                "constraints admit too few"
            )
        if delay := self._pace.describe_delay(self.active_seconds()):
            self.notices.append(delay)
        strategy = self.setup.strategy
        is_first = bool(self.trials) and self.trials[-1].generation == 0
        if is_first and strategy.learns and self._is_spent() and not interruption:
            self.notices.append(
                "every candidate is a random sample: the budget ended within the first generation "
                f"({self._first_size()} candidates), before {strategy.id!r} could learn from a result; raise the "
                "budget, or make generations smaller by the options of the strategy"
            )

    def _ask(self, generation: int, finished: Sequence[Trial]) -> list[Architecture]:
        size = None if self._sizes is None or not generation else self._sizes.later
        proposed = propose(self.setup, finished, generation, count=size)
        return proposed[: self._limit(proposed, generation)]

    def _limit(self, proposals: Sequence[Architecture], generation: int) -> int:
        """Return how many proposals of a generation are evaluated. The first generation may have been made smaller."""
        is_limited = generation == 0 and self._sizes is not None
        return min(len(proposals), self._first_size()) if is_limited else len(proposals)

    def _first_size(self) -> int:
        return self.setup.strategy.generation_size if self._sizes is None else self._sizes.first

    def _check_finished(self, proposals: Sequence[Architecture], closed: int) -> None:
        for trial, arch in itertools.zip_longest(self.trials[closed:], proposals):
            if trial is None:
                return
            if arch is None or trial.arch.key != arch.key:
                raise StoreDamaged(
                    f"trial {trial.index} of the run is not what this installation proposes there; its plugins or its "
                    "store were changed"
                )

    def _evaluate(
        self,
        evaluator: Evaluator,
        proposals: Sequence[Architecture],
        generation: int,
        closed: int,
        interruption: Interruption,
    ) -> None:
        taken = 0
        contenders = with_rungs(self.setup, self.trials[:closed], proposals)

        def work() -> Iterator[tuple[int, Architecture]]:
            nonlocal taken
            for index in range(len(self.trials), closed + len(proposals)):
                is_whole = index - closed >= self._limit(proposals, generation)
                if is_whole or self._is_spent() or interruption:
                    return
                taken = index - closed + 1
                yield index, contenders[index - closed]

        budget = self.setup.budget.candidates
        early: dict[int, Evaluation] = {}
        with contextlib.closing(_closable(self._results(evaluator, work()))) as results:
            for index, evaluation in results:
                early[index] = evaluation
                self._pace.result_arrived()
                # Trials are stored in order. A kill then leaves the first trials, and a budget of candidates always
                # ends at the same trial. A time budget only stops new work: finished candidates are stored.
                while (place := len(self.trials)) in early and (budget is None or not self._is_spent()):
                    arch = proposals[place - closed]
                    measured = self._measure(evaluator, arch, early.pop(place))
                    self._commit(Trial(index=place, generation=generation, arch=arch, evaluation=measured))
                    if generation == 0:
                        self._fit_generations(taken)
                if budget is not None and self._is_spent():
                    # What other workers still evaluate would not be stored, and may hang.
                    return

    def _results(
        self, evaluator: Evaluator, work: Iterator[tuple[int, Architecture]]
    ) -> Iterator[tuple[int, Evaluation]]:
        """Yield results in any order. Where latency is measured, workers are idle between two results."""
        executor = self.setup.executor
        if not evaluator.measures_candidates or not executor.slots:
            yield from executor.run(evaluator.evaluate, work)
            return
        # A latency must not be measured beside workers. In a round, each worker evaluates a few candidates.
        while round_ := list(itertools.islice(work, CANDIDATES_PER_ROUND * executor.slots)):
            yield from list(executor.run(evaluator.evaluate, iter(round_)))

    def _measure(self, evaluator: Evaluator, arch: Architecture, evaluation: Evaluation) -> Evaluation:
        if not evaluator.measures_candidates or evaluation.state != "scored":
            return evaluation
        return self.setup.executor.measure(evaluator.measure, arch, evaluation)

    @property
    def _measures_finalists(self) -> bool:
        return self.setup.measures and self.setup.problem.prediction is not None

    def _reserved_seconds(self) -> float:
        seconds = self.setup.budget.seconds
        if seconds is None or not self._measures_finalists:
            return 0.0
        return min(RESERVED_SHARE * seconds, RESERVED_SECONDS)

    def _fit_generations(self, taken: int) -> None:
        """Make generations smaller if a time budget would not allow several of them."""
        strategy, budget = self.setup.strategy, self.setup.budget
        if budget.seconds is None or self._sizes is not None or not strategy.learns:
            return
        full = strategy.generation_size
        expected = self._pace.expected_trials(len(self.trials), self.active_seconds())
        if expected is None:
            return
        sizes = GenerationSizes.fit(
            expected, full=full, taken=taken, needs_sample=self.setup.scoring.uses_sample
        )
        if sizes.later >= full:
            return
        self._sizes = sizes
        self._store.set_header({**self._store.header(), **self._sizes.as_dict()})
        self.notices.append(
            f"generations have {sizes.later} candidates instead of {full}, so that the budget of {budget} allows "
            "several"
        )

    def _commit(self, trial: Trial) -> None:
        self._store.append(trial, active_seconds=self.active_seconds())
        self._remember(trial)
        self._pace.trial_done(trial)
        self._tell("trial_done", trial)
        failed = self.counts["failed"]
        if failed >= FIRST_FAILURES and not self.counts["scored"] and trial.evaluation.state == "failed":
            raise NoResult(
                f"{failed} candidates failed and none is scored; the last: {trial.evaluation.reason}"
            )

    def _tell(self, event: str, *details: Trial) -> None:
        for observer in list(self._observers):
            self._tell_one(observer, event, *details)

    def _tell_one(self, observer: Observer, event: str, *details: object) -> None:
        try:
            getattr(observer, event)(self, *details)
        except Exception as error:
            # An observer must not change the result, even if it fails.
            self._observers.remove(observer)
            self.notices.append(f"an observer failed and was left out: {type(error).__name__}: {error}")

    def _remember(self, trial: Trial) -> None:
        if trial.index != len(self.trials):
            raise StoreDamaged(
                f"trial {len(self.trials)} is missing from the run's store; repair it with: "
                f"denas repair {shlex.quote(str(self.path))}"
            )
        self.trials.append(trial.without_seconds())
        state = trial.evaluation.state
        self.counts[state] = self.counts.get(state, 0) + 1

    def _is_spent(self) -> bool:
        budget = self.setup.budget
        if budget.candidates is not None:
            return self.counts["scored"] >= budget.candidates or self._has_tried_enough(budget.candidates)
        return self._pace.is_spent(self.active_seconds())

    def _has_tried_enough(self, budget: int) -> bool:
        return len(self.trials) >= TRIALS_PER_CANDIDATE * (budget + 5)


def _closable(results: Iterator[tuple[int, Evaluation]]) -> Generator[tuple[int, Evaluation], None, None]:
    # An executor may return an iterator without close(). A generator over it always has one.
    yield from results
