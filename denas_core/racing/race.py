"""A race: the first networks of a search are trained on the user's data, and the best one is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from denas_core.contracts.executor import Demand, Executor
from denas_core.contracts.task import TaskData
from denas_core.errors import Interrupted, NoResult
from denas_core.evaluation.spread import opened, spread
from denas_core.runs.files import RACE
from denas_core.system.atomic import remove_leftovers, storage_errors
from denas_core.system.interrupt import Interruption, interruptible
from denas_core.system.lock import RunLock
from denas_core.training.environment import computed_with
from denas_core.training.plan import (
    Plan,
    write_plan,
)
from denas_core.training.settings import make_settings

from .finish import keep_winner, with_race
from .place import check_unbegun, resume_command
from .record import Racer, RaceRecord
from .rungs import going_on, most_trainings, ordered
from .trainer import KEY_LENGTH, Trainer
from .verdict import conclude


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A rung of a race, as observers see it.

    Attributes:
        number: Its number, from 1.
        epochs: Epochs of each of its trainings.
        racers: The networks that are trained in it.
        directories: The directory of the training of each of them, by key.
    """

    number: int
    epochs: int
    racers: Sequence[Racer]
    directories: dict[str, Path]


class RaceObserver(Protocol):
    """An object that is called as a race goes on."""

    def begun(self, race: Race) -> None:
        """The race begins or goes on."""

    def rung_begun(self, rung: Rung) -> None:
        """A rung begins or goes on; some of its trainings may have ended already."""

    def training_done(self, rung: Rung, racer: Racer) -> None:
        """A training has ended, well or not."""

    def finished(self) -> None:
        """The race has ended, in whatever way."""


class Race:
    """A race that can run.

    Attributes:
        path: The run directory.
        plan: The plan of the trainings of the last rung, with the architecture of the first entrant.
        record: What is known so far.
        memory: Bytes that its largest training takes, by an estimate; None if it is unknown.
    """

    def __init__(
        self,
        path: Path,
        plan: Plan,
        record: RaceRecord,
        data: TaskData[Any] | None,
        *,
        memory: int | None = None,
    ) -> None:
        """Prepare a race; `denas_core.racing.begin` does so.

        Args:
            path: The run directory.
            plan: The plan.
            record: Who takes part, and what is known already.
            data: What the task has read, for a race that has not begun.
            memory: Bytes that its largest training takes.
        """
        self.path, self.plan, self.record, self.memory = path, plan, record, memory
        self._data = data
        self.directory = path / RACE

    def most_epochs(self) -> list[int]:
        """Return the largest number of epochs that the trainings of each rung can have together."""
        kinds = {kind for racer in self.record.racers for kind in racer.entrant.kinds}
        most = most_trainings(len(self.record.rungs), len(self.record.racers), len(kinds))
        return [count * epochs for count, epochs in zip(most, self.record.rungs, strict=True)]

    def directory_of(self, key: str, epochs: int) -> Path:
        """Return the directory of a network's training of so many epochs, as long as the race has not ended."""
        return self._root(epochs) / key[:KEY_LENGTH]

    def run(self, executor: Executor, demand: Demand, observers: Sequence[RaceObserver] = ()) -> RaceRecord:
        """Train in every rung, and keep the winner as the training of the run.

        Args:
            executor: Runs the trainings.
            demand: What one training needs.
            observers: Called as the race goes on.

        Raises:
            Interrupted: a signal stopped the race. It goes on with ``--resume``.
            NoResult: every training of a rung has failed.
            RunBusy, StorageError: the directory of the race cannot be used.
        """
        if self.record.result is not None:
            return self.record
        with storage_errors(self.directory):
            self.directory.mkdir(exist_ok=True)
        lock = RunLock(self.directory)
        try:
            if self._data is not None:
                # Another process may have begun a race while this one read its data.
                check_unbegun(self.path)
                self.record.write(self.path)
                write_plan(self.directory, self.plan, self._data, computed_with(self.plan))
            remove_leftovers(self.directory)
            self._rungs(executor, demand, observers)
            result = conclude(self.record)
            self.record.result = result
            keep_winner(self.path, self.record, keeps_others=self.plan.settings.keep_checkpoints)
            self.record.write(self.path)
        finally:
            lock.release()
        with_race(self.path, self.record)
        return self.record

    def _rungs(self, executor: Executor, demand: Demand, observers: Sequence[RaceObserver]) -> None:
        racers = list(self.record.racers)
        for observer in observers:
            observer.begun(self)
        try:
            with interruptible() as interruption, opened(executor, demand) as running:
                interruption.on_first = executor.stop
                for number, epochs in enumerate(self.record.rungs, start=1):
                    self._train(number, epochs, racers, running, interruption, observers)
                    results = self.record.results(epochs)
                    results = {racer.key: results[racer.key] for racer in racers if racer.key in results}
                    if not results:
                        raise NoResult(self._why_none(number, racers))
                    ranked = ordered(results, self.record.metric)
                    racers = [self.record.racer(key) for key in going_on(ranked, self.record.kinds())]
        finally:
            for observer in observers:
                observer.finished()

    def _train(
        self,
        number: int,
        epochs: int,
        racers: Sequence[Racer],
        executor: Executor,
        interruption: Interruption,
        observers: Sequence[RaceObserver],
    ) -> None:
        """Train each network of a rung. A resume tries failed trainings of the rung in which it was stopped again."""
        trainer = self._trainer(number, epochs)
        rung = Rung(
            number=number,
            epochs=epochs,
            racers=racers,
            directories={racer.key: trainer.directory(racer.entrant.arch) for racer in racers},
        )
        by_arch = {racer.entrant.arch: racer for racer in racers}
        later = self.record.rungs[number:]
        is_over = any(one in racer.trainings for one in later for racer in self.record.racers)
        left = [] if is_over else [one.entrant.arch for one in racers if one.metrics(epochs) is None]
        for arch in left:
            by_arch[arch].trainings.pop(epochs, None)
        for observer in observers:
            observer.rung_begun(rung)

        try:
            for arch, evaluation in spread(executor, trainer, interruption.until_signal(left)):
                by_arch[arch].trainings[epochs] = evaluation
                self.record.write(self.path)
                for observer in observers:
                    observer.training_done(rung, by_arch[arch])
        except Interrupted as error:
            # A training in this process has met the signal.
            raise self._interrupted(number, epochs, racers, error.signal_number) from error
        if interruption and any(epochs not in racer.trainings for racer in racers):
            raise self._interrupted(number, epochs, racers, interruption.signal_number)

    def _trainer(self, number: int, epochs: int) -> Trainer:
        is_last = number == len(self.record.rungs)
        plan = dataclasses.replace(self.plan, **_shortened(self.plan, epochs))
        return Trainer(
            plan=plan,
            root=self._root(epochs),
            keeps_model=is_last or self.plan.settings.keep_checkpoints,
        )

    def _root(self, epochs: int) -> Path:
        return (self.directory / f"{epochs}-epochs").absolute()

    def _interrupted(
        self, number: int, epochs: int, racers: Sequence[Racer], signal_number: int
    ) -> Interrupted:
        done = sum(epochs in racer.trainings for racer in racers)
        return Interrupted(
            f"stopped in rung {number} of {len(self.record.rungs)} after {done} of its {len(racers)} trainings, which "
            f"are kept; go on with: {resume_command(self.path)}",
            signal_number=signal_number,
        )

    def _why_none(self, number: int, racers: Sequence[Racer]) -> str:
        return (
            f"every training of rung {number} has failed; the first one: {racers[0].failure()}; try them again with: "
            f"{resume_command(self.path)}"
        )


def _shortened(plan: Plan, epochs: int) -> dict[str, Any]:
    """Return the settings of a training of fewer epochs: what is counted in steps or epochs becomes as much shorter."""
    settings = plan.settings
    share = epochs / settings.epochs
    options = {
        **settings.options(),
        "epochs": epochs,
        "step_epochs": max(1, round(settings.step_epochs * share)),
        "warmup": settings.warmup if settings.warmup < 1 else max(1.0, settings.warmup * share),
    }
    return {"settings": make_settings(plan.task.id, {}, options)}
