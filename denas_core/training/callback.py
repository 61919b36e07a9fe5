"""Decisions after each step and each epoch: whether to log, evaluate, save a checkpoint or stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from denas_core.system.interrupt import Interruption

from .clock import TrainingClock
from .observers import TrainingObserver
from .progress import TrainingProgress
from .settings import TrainingSettings


class StepDecisions(TrainerCallback):
    """Tells Trainer what to do after each step and each epoch."""

    def __init__(
        self,
        settings: TrainingSettings,
        progress: TrainingProgress,
        interruption: Interruption,
        observers: Sequence[TrainingObserver],
        on_begin: Callable[[int, int], None],
        clock: TrainingClock,
    ) -> None:
        """Prepare the decisions.

        Args:
            settings: Settings of the training.
            progress: What the evaluations have shown so far.
            interruption: Whether a signal asks to stop.
            observers: Called after each step.
            on_begin: Called with the steps done and all steps when training begins.
            clock: The time that the training has spent.
        """
        self._settings, self._progress = settings, progress
        self._interruption, self._observers, self._on_begin = interruption, observers, on_begin
        self._clock = clock

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Report where training begins."""
        self._on_begin(state.global_step, state.max_steps)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Decide after an optimizer step."""
        settings, step = self._settings, state.global_step
        for observer in self._observers:
            observer.stepped(step)
        # The end of an epoch has its own evaluation and checkpoint.
        within = step < state.max_steps and not float(state.epoch or 0.0).is_integer()
        control.should_evaluate = within and _is_due(step, settings.eval_steps)
        control.should_save = within and _is_due(step, settings.checkpoint_steps)
        if step < state.max_steps and (reason := self._clock.why_over(self._clock.share())):
            self._progress.stopped = reason
            control.should_evaluate = within
            control.should_training_stop = True
        if self._interruption and step < state.max_steps:
            control.should_save = within
            control.should_training_stop = True
        # A checkpoint would lose a loss that is not logged yet, and a loss that is NaN must not be saved. An evaluation
        # that is interrupted saves a checkpoint.
        control.should_log = (
            control.should_save or control.should_evaluate or _is_due(step, settings.log_steps)
        )

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Decide after an epoch."""
        epoch = float(state.epoch or 0.0)
        is_last = state.global_step >= state.max_steps or bool(self._progress.stopped)
        if is_last and not epoch.is_integer() and not self._progress.stopped:
            # The number of steps is limited, and the limit is within an epoch.
            control.should_evaluate = control.should_save = control.should_log = True
            return
        if not epoch.is_integer():
            # Training has stopped within the epoch. An interruption has saved its checkpoint, an evaluation has not.
            control.should_save = bool(self._progress.stopped)
            return
        control.should_evaluate = is_last or int(epoch) % self._settings.eval_epochs == 0
        control.should_save = control.should_log = True


def _is_due(step: int, every: int) -> bool:
    return bool(every) and step % every == 0
