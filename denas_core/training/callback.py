"""When a training logs, evaluates, saves and stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from denas_core.system.interrupt import Interruption

from .observers import Watcher
from .progress import Standing
from .settings import TrainingSettings


class Flow(TrainerCallback):
    """Sets what Trainer does after each step and each epoch."""

    def __init__(
        self,
        settings: TrainingSettings,
        standing: Standing,
        interruption: Interruption,
        watchers: Sequence[Watcher],
    ) -> None:
        self._settings, self._standing = settings, standing
        self._interruption, self._watchers = interruption, watchers

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Tell the watchers where training begins."""
        for watcher in self._watchers:
            watcher.started(step=state.global_step, total=state.max_steps, epochs=self._settings.epochs)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Decide after an optimizer step."""
        settings, step = self._settings, state.global_step
        for watcher in self._watchers:
            watcher.stepped(step)
        # The end of an epoch has its own evaluation and checkpoint.
        within = step < state.max_steps and not float(state.epoch or 0.0).is_integer()
        control.should_evaluate = within and _is_due(step, settings.eval_steps)
        control.should_save = within and _is_due(step, settings.checkpoint_steps)
        if self._interruption and step < state.max_steps:
            control.should_save = within
            control.should_training_stop = True
        # What is not logged yet would be lost, and a loss that is NaN must not be kept.
        control.should_log = control.should_save or step % settings.log_steps == 0

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Decide after an epoch."""
        epoch = float(state.epoch or 0.0)
        if not epoch.is_integer():  # stopped within it: saved, unless an evaluation stopped it
            control.should_save = bool(self._standing.stopped)
            return
        is_last = state.global_step >= state.max_steps
        control.should_evaluate = is_last or int(epoch) % self._settings.eval_epochs == 0
        control.should_save = control.should_log = True


def _is_due(step: int, every: int) -> bool:
    return bool(every) and step % every == 0
