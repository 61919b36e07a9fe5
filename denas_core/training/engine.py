"""The engine: `transformers.Trainer` with the data, the evaluation and the checkpoints of DE-NAS."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Trainer
from transformers.trainer_callback import PrinterCallback

from denas_core.contracts.task import TaskData
from denas_core.errors import NoResult
from denas_core.seeding import derive_seed
from denas_core.system.interrupt import Interruption

from .arguments import make_arguments
from .callback import StepDecisions
from .checkpoint import (
    Checkpoint,
    flatten_optimizer,
    read_checkpoint,
    unflatten_optimizer,
    write_checkpoint,
)
from .clock import TrainingClock
from .data import EpochBatches, Loader, lengths_of, training_loader
from .environment import check_accelerator
from .evaluation import evaluate_network, facts_of_evaluation
from .network import TrainableNetwork
from .observers import TrainingObserver
from .optimizer import make_optimizer
from .plan import Plan
from .processes import is_first, rank, world_size
from .progress import TrainingProgress
from .random_state import random_numbers, random_tensors, restore_random
from .result import CHECKPOINTS
from .schedule import count_steps, count_steps_per_epoch, learning_rate_factor


class EvaluationInterrupted(Exception):
    """A signal stopped an evaluation after the batch in hand."""


class Engine(Trainer):
    """Trains one network. Each process of a training has an engine; the one of process 0 writes.

    Attributes:
        progress: What the evaluations have shown so far.
        evaluation_pending: Whether a signal stopped the evaluation of the last step; a resume begins with it.
    """

    def __init__(
        self,
        plan: Plan,
        data: TaskData[Any],
        model: TrainableNetwork,
        *,
        directory: Path,
        batch_size: int,
        workers: int,
        interruption: Interruption,
        observers: Sequence[TrainingObserver] = (),
        keep: Callable[[nn.Module, TrainingProgress], None],
    ) -> None:
        """Prepare the training.

        Args:
            plan: What is trained, on which data and with which settings.
            data: What the task has read.
            model: The network with its loss.
            directory: Where checkpoints go.
            batch_size: Samples of a batch over all processes.
            workers: Number of processes that read samples.
            interruption: Whether a signal asks to stop.
            observers: Called as the training goes on.
            keep: Called with the network when it is the best so far.

        Raises:
            ConfigError: Accelerate would not train as the plan says.
        """
        self.progress = TrainingProgress()
        self.evaluation_pending = False
        self._plan, self._data, self._directory = plan, data, directory
        self._batch_size, self._workers = batch_size, workers
        self._interruption, self._observers, self._keep = interruption, observers, keep
        self._has_begun = False
        self._trained = model
        self._restored: Checkpoint | None = None
        self._clock = TrainingClock(self.progress, plan.settings)
        self._steps_per_epoch = count_steps_per_epoch(
            plan.settings, samples=len(data.train or ()), batch_size=batch_size
        )
        steps = count_steps(plan.settings, self._steps_per_epoch)
        super().__init__(
            model=model, args=make_arguments(plan, directory / CHECKPOINTS, batch_size, steps=steps)
        )
        check_accelerator(self.accelerator, plan)
        self.remove_callback(PrinterCallback)
        self.add_callback(
            StepDecisions(plan.settings, self.progress, interruption, observers, self._begin, self._clock)
        )
        # Trainer seeds every process alike; their dropout must differ.
        torch.manual_seed(derive_seed(plan.settings.seed, "training", rank()))

    def run(self, checkpoint: Path | None) -> None:
        """Train to the end, or until something stops it.

        Args:
            checkpoint: The checkpoint to go on from; None to begin.
        """
        try:
            if self._plan.settings.epochs == 0:
                self._begin(0, 0)
                self.evaluate()
            elif checkpoint is None:
                self.train()
            else:
                self._go_on(checkpoint)
        finally:
            for observer in self._observers:
                observer.finished()

    def _go_on(self, checkpoint: Path) -> None:
        restored = read_checkpoint(checkpoint)
        self._restored = restored
        self.progress.__dict__.update(restored.state["standing"])
        if restored.state.get("evaluation_pending"):
            self._trained.network.load_state_dict(dict(restored.tensors["weights"]))
            self.state.epoch = restored.trainer["epoch"]
            self.state.global_step = restored.trainer["global_step"]
            self.state.max_steps = restored.trainer["max_steps"]
            self._begin(self.state.global_step, self.state.max_steps)
            self.evaluate()
            if self.evaluation_pending:
                return
        if self.progress.stopped:
            # Killed between the last checkpoint and the result, or the pending evaluation was the last one.
            self.state.global_step = restored.trainer["global_step"]
            return
        self.train(resume_from_checkpoint=str(checkpoint))

    def _begin(self, step: int, total: int) -> None:
        if not self._has_begun:
            self._has_begun = True
            for observer in self._observers:
                observer.started(step=step, total=total, epochs=self._plan.settings.epochs)

    # -- what Trainer calls --------------------------------------------------------------------------------------------

    def get_train_dataloader(self) -> Loader:
        """Return the loader of this process. Accelerate need not divide its batches: they are a part already."""
        assert self._data.train is not None
        seed = self._plan.settings.seed
        batches = EpochBatches(
            len(self._data.train),
            self._batch_size,
            seed=seed,
            shuffle=self._plan.settings.shuffle,
            lengths=lengths_of(self._data.train),
            rank=rank(),
            world=world_size(),
        )
        return training_loader(self._data.train, self._plan.task, batches, seed=seed, workers=self._workers)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Return the optimizer of the plan."""
        if self.optimizer is None:
            network, space = self._trained.network, self._plan.space
            self.optimizer = make_optimizer(network, self._plan.settings, lambda: space.views(network))
        return self.optimizer

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> torch.optim.lr_scheduler.LRScheduler:
        """Return the schedule of the plan."""
        # Accelerate has just wrapped the optimizer for precisions that do not exist here, which costs time each step.
        self.optimizer = getattr(self.optimizer, "optimizer", self.optimizer)
        settings = self._plan.settings
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self._required(self.optimizer),
            lambda step: learning_rate_factor(
                settings,
                step,
                total=num_training_steps,
                steps_per_epoch=self._steps_per_epoch,
                share=self._clock.share(),
            ),
        )
        self._created_lr_scheduler = True
        return self.lr_scheduler

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Add the gradients of a batch, and return its share of the loss of the step.

        Trainer's own method does this through Accelerate, which looks for an optional library on disk each time.
        """
        model.train()
        loss: Tensor = model(**self._prepare_inputs(inputs)) / self.current_gradient_accumulation_steps
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        device = self.args.device
        if device.type == "cpu":
            return inputs
        return {
            "batch": inputs["batch"].to(device=device),
            "targets": {name: tensor.to(device) for name, tensor in inputs["targets"].items()},
        }

    def _get_grad_norm(self, model: nn.Module, grad_norm: Any = None) -> Any:
        # Trainer would measure it at every step even where nothing is clipped.
        return grad_norm

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Evaluate on the whole split, keep the model if it is the best so far, and decide whether to stop.

        A signal stops the evaluation after the batch in hand. Then a checkpoint is saved, and a resume evaluates again.
        """
        self.control.should_evaluate = False
        plan, began = self._plan, time.monotonic()
        found: list[tuple[Tensor, dict[str, Tensor]]] = []
        try:
            self._check_interruption()
            metrics = evaluate_network(
                self._trained.network,
                plan.space,
                plan.task,
                self._data.valid,
                batch_size=self._batch_size,
                device=self.args.device,
                bf16=plan.settings.bf16,
                workers=self._workers,
                rank=rank(),
                world=world_size(),
                decode=False,
                on_progress=self._check_interruption,
                on_predicted=lambda *pair: found.append(pair),
            )
        except EvaluationInterrupted:
            self.evaluation_pending = True
            self.control.should_training_stop = True
            # Without a step there is nothing to save.
            self.control.should_save = self.state.global_step > 0
            return {}
        self.evaluation_pending = False
        self._clock.evaluated(time.monotonic() - began)
        epoch = float(self.state.epoch or 0.0)
        is_best = self.progress.record(metrics, plan.task.metric, epoch=epoch, settings=plan.settings)
        if is_best:
            predicted, targets = found[0]
            self.progress.measured = facts_of_evaluation(plan.task, predicted, targets, self._data)
        if is_best and is_first():
            self._keep(self._trained.network, self.progress)
        self.control.should_training_stop |= bool(self.progress.stopped)
        self._report({"metrics": metrics})
        return metrics

    def _check_interruption(self, *_: int) -> None:
        if self._interruption:
            raise EvaluationInterrupted

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Report the losses, and stop a training whose loss is not finite."""
        self.control.should_log = False
        if "loss" not in logs:  # Trainer's own summary at the end
            return
        if not math.isfinite(logs["loss"]):
            raise NoResult(
                f"the loss is {logs['loss']} after step {self.state.global_step}; lower training.lr or set "
                "training.clip=1; the last checkpoint is kept"
            )
        row = {"loss": logs["loss"], "lr": logs["learning_rate"]}
        if math.isfinite(logs.get("grad_norm", math.nan)):
            row["grad_norm"] = logs["grad_norm"]
        self._report(row)

    def _report(self, row: Mapping[str, Any]) -> None:
        self._clock.settle()
        place = {"step": self.state.global_step, "epoch": round(float(self.state.epoch or 0.0), 4)}
        for observer in self._observers:
            observer.logged({**place, **row, "seconds": round(self.progress.seconds, 3)})

    # -- checkpoints ---------------------------------------------------------------------------------------------------

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        generators = [(random_tensors(), random_numbers())]
        if world_size() > 1:
            generators *= world_size()
            torch.distributed.all_gather_object(generators, generators[rank()])
        if not is_first():
            return
        optimizer, rest = flatten_optimizer(self._required(self.optimizer).state_dict())
        write_checkpoint(
            self._directory / CHECKPOINTS,
            self.state.global_step,
            Checkpoint(
                tensors={
                    "weights": self._trained.network.state_dict(),
                    "optimizer": optimizer,
                    **{f"random-{number}": tensors for number, (tensors, _) in enumerate(generators)},
                },
                state={
                    "optimizer": rest,
                    "scheduler": self._required(self.lr_scheduler).state_dict(),
                    "standing": self.progress.as_dict(),
                    "evaluation_pending": self.evaluation_pending,
                    "random": [numbers for _, numbers in generators],
                },
                trainer={**dataclasses.asdict(self.state), "log_history": [], "stateful_callbacks": {}},
            ),
        )

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        assert self._restored is not None, "only _go_on() resumes"
        self._trained.network.load_state_dict(dict(self._restored.tensors["weights"]))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if self._restored is not None:
            state = self._restored.state
            self._required(self.optimizer).load_state_dict(
                unflatten_optimizer(self._restored.tensors["optimizer"], state["optimizer"])
            )
            self._required(self.lr_scheduler).load_state_dict(dict(state["scheduler"]))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        # With another number of processes, the new ones keep the seed they have.
        if self._restored is not None and rank() < len(self._restored.state["random"]):
            restore_random(
                dict(self._restored.tensors[f"random-{rank()}"]), self._restored.state["random"][rank()]
            )

    def _required(self, part: Any) -> Any:
        assert part is not None, "Trainer has made it before it is used"
        return part
