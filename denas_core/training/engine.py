"""The engine: `transformers.Trainer` with data, evaluation and checkpoints of our own."""

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
from .callback import Flow
from .checkpoint import (
    Checkpoint,
    flatten_optimizer,
    read_checkpoint,
    unflatten_optimizer,
    write_checkpoint,
)
from .data import EpochBatches, Loader, lengths_of, training_loader
from .evaluation import evaluate_network
from .network import TrainableNetwork
from .observers import Watcher
from .optimizer import make_optimizer
from .plan import Plan
from .processes import is_first, rank, world_size
from .progress import Standing
from .random_state import random_numbers, random_tensors, restore_random
from .schedule import learning_rate_factor

CHECKPOINTS = "checkpoints"


class Engine(Trainer):
    """Trains one network. Every process of a training makes one; the first one writes.

    Attributes:
        standing: Where the training stands.
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
        watchers: Sequence[Watcher] = (),
        keep: Callable[[nn.Module, Standing], None],
    ) -> None:
        """Prepare the training.

        Args:
            plan: What is trained, on what, how.
            data: What the task has read.
            model: The network with its loss.
            directory: Where checkpoints go.
            batch_size: Samples of a batch over all processes.
            workers: Processes that read samples.
            interruption: Whether a signal asks to stop.
            watchers: Who is told.
            keep: Called with the network when it is the best so far.
        """
        self.standing = Standing()
        self._plan, self._data, self._directory = plan, data, directory
        self._batch_size, self._workers = batch_size, workers
        self._watchers, self._keep = watchers, keep
        self._trained = model
        self._restored: Checkpoint | None = None
        self._since = time.monotonic()
        super().__init__(model=model, args=make_arguments(plan, directory / CHECKPOINTS, batch_size))
        self.remove_callback(PrinterCallback)
        self.add_callback(Flow(plan.settings, self.standing, interruption, watchers))
        # Trainer seeds every process alike; their dropout must differ.
        torch.manual_seed(derive_seed(plan.settings.seed, "training", rank()))

    def run(self, checkpoint: Path | None) -> None:
        """Train to the end, or until something stops it.

        Args:
            checkpoint: What to go on from; None to begin.
        """
        try:
            if self._plan.settings.epochs == 0:
                for watcher in self._watchers:
                    watcher.started(step=0, total=0, epochs=0)
                self.evaluate()
            elif checkpoint is None or not self._is_over(checkpoint):
                self.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        finally:
            for watcher in self._watchers:
                watcher.finished()

    def _is_over(self, checkpoint: Path) -> bool:
        # Killed between the last checkpoint and the result: an evaluation has ended it already.
        restored = read_checkpoint(checkpoint)
        if restored.state["standing"]["stopped"]:
            self.standing.__dict__.update(restored.state["standing"])
            self.state.global_step = restored.trainer["global_step"]
            return True
        return False

    # -- what Trainer asks for -----------------------------------------------------------------------------------------

    def get_train_dataloader(self) -> Loader:
        """Return the loader of this process; it is not wrapped by accelerate, since its batches know their process."""
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
        # accelerate has just wrapped the optimizer, for precisions that are not offered here; the same look every step.
        self.optimizer = getattr(self.optimizer, "optimizer", self.optimizer)
        settings = self._plan.settings
        per_epoch = math.ceil(num_training_steps / settings.epochs)
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self._made(self.optimizer),
            lambda step: learning_rate_factor(
                settings, step, total=num_training_steps, steps_per_epoch=per_epoch
            ),
        )
        self._created_lr_scheduler = True
        return self.lr_scheduler

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Add the gradients of a batch, and return its share of the loss of the step.

        Trainer's own does this through accelerate, which looks for an optional library on disk every time.
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
        """Evaluate on the whole split, keep the model if it is the best so far, and decide whether to stop."""
        self.control.should_evaluate = False
        plan = self._plan
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
        )
        epoch = float(self.state.epoch or 0.0)
        if self.standing.note(metrics, plan.task.metric, epoch=epoch, settings=plan.settings) and is_first():
            self._keep(self._trained.network, self.standing)
        self.control.should_training_stop |= bool(self.standing.stopped)
        self._tell({"metrics": metrics})
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Tell the watchers, and stop a training whose loss is lost."""
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
        self._tell(row)

    def _tell(self, row: Mapping[str, Any]) -> None:
        now = time.monotonic()
        self.standing.seconds += now - self._since
        self._since = now
        place = {"step": self.state.global_step, "epoch": round(float(self.state.epoch or 0.0), 4)}
        for watcher in self._watchers:
            watcher.logged({**place, **row, "seconds": round(self.standing.seconds, 3)})

    # -- checkpoints ---------------------------------------------------------------------------------------------------

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        generators = [(random_tensors(), random_numbers())]
        if world_size() > 1:
            generators *= world_size()
            torch.distributed.all_gather_object(generators, generators[rank()])
        if not is_first():
            return
        optimizer, rest = flatten_optimizer(self._made(self.optimizer).state_dict())
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
                    "scheduler": self._made(self.lr_scheduler).state_dict(),
                    "standing": self.standing.as_dict(),
                    "random": [numbers for _, numbers in generators],
                },
                trainer={**dataclasses.asdict(self.state), "log_history": [], "stateful_callbacks": {}},
            ),
        )

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        self._restored = read_checkpoint(Path(resume_from_checkpoint))
        self._trained.network.load_state_dict(dict(self._restored.tensors["weights"]))
        self.standing.__dict__.update(self._restored.state["standing"])

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if self._restored is not None:
            state = self._restored.state
            self._made(self.optimizer).load_state_dict(
                unflatten_optimizer(self._restored.tensors["optimizer"], state["optimizer"])
            )
            self._made(self.lr_scheduler).load_state_dict(dict(state["scheduler"]))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        # With another number of processes, the new ones keep the seed they have.
        if self._restored is not None and rank() < len(self._restored.state["random"]):
            restore_random(
                dict(self._restored.tensors[f"random-{rank()}"]), self._restored.state["random"][rank()]
            )

    def _made(self, part: Any) -> Any:
        assert part is not None, "Trainer makes it before it is used"
        return part
