"""The metrics of a network on a whole split."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from denas_core.contracts.chance import CHANCE
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.split import Split
from denas_core.contracts.task import Task, TaskData
from denas_core.errors import DenasError, NoResult, PluginError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.values.batch import joined

from .data import ignore_interrupts, worker_faults


class PlainSamples(Dataset[Any]):
    """The samples of a split without augmentation."""

    def __init__(self, split: Split[Any]) -> None:
        self._split = split

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, index: int) -> Any:
        return self._split.sample(index)


def evaluate_network(
    network: nn.Module,
    space: SearchSpace,
    task: Task[Any],
    split: Split[Any],
    *,
    batch_size: int,
    device: torch.device | str = "cpu",
    bf16: bool = False,
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
    decode: bool = True,
    on_progress: Callable[[int, int], None] | None = None,
    on_predicted: Callable[[Tensor, dict[str, Tensor]], None] | None = None,
) -> dict[str, float]:
    """Return the metrics of the task on a split, the mean ``loss``, and ``chance``. The network keeps its mode.

    ``chance`` is the value of the task's metric for the same answer to every sample, if the task knows it.

    Args:
        network: On `device`.
        space: Its space.
        task: What it was trained for.
        split: The samples.
        batch_size: Samples of a batch.
        device: Where the network is.
        bf16: Whether to compute in bfloat16.
        workers: Processes that read samples.
        rank: Number of this process; each one takes a part of the split, and all return the same.
        world: Number of processes.
        decode: Whether to decode as the options of the task say; otherwise predictions are made in the quickest way.
        on_progress: Called after each batch with the number of batches done and of all batches; what it raises ends
            the evaluation.
        on_predicted: Called with the predictions and the targets of the whole split.

    Raises:
        NoResult: the split is empty, or the metric is not finite.
        PluginError: the task returns no value for its metric.
    """
    if not len(split):
        raise NoResult("there is no sample to evaluate on")
    indices = range(len(split) * rank // world, len(split) * (rank + 1) // world)
    loader = DataLoader(
        PlainSamples(split),
        batch_size=batch_size,
        sampler=indices,
        collate_fn=task.collate,
        num_workers=workers,
        worker_init_fn=ignore_interrupts,
        generator=torch.Generator(),
    )
    predictions: list[Tensor] = []
    targets: list[dict[str, Tensor]] = []
    losses: list[tuple[Tensor, int]] = []
    autocast = torch.autocast(torch.device(device).type, torch.bfloat16) if bf16 else contextlib.nullcontext()
    with _evaluating(network), torch.inference_mode(), autocast, worker_faults():
        for number, (batch, expected) in enumerate(loader, start=1):
            there = batch.to(device=device)
            outputs = space.forward(network, there)
            wanted = {name: tensor.to(device) for name, tensor in expected.items()}
            prediction = (
                task.decode(space, network, there, outputs, split) if decode else task.assess(outputs, wanted)
            )
            # Losses stay on the device: reading each of them would wait for the device.
            losses.append((task.loss(outputs, wanted).float(), len(prediction)))
            predictions.append(prediction.cpu())
            targets.append(expected)
            if on_progress is not None:
                on_progress(number, len(loader))
    loss_sum = sum(float(loss) * count for loss, count in losses)
    parts = (
        [(predictions, targets, loss_sum)] if world == 1 else _gathered(predictions, targets, loss_sum, world)
    )
    predicted = joined([tensor for part in parts for tensor in part[0]])
    expectations = [expected for part in parts for expected in part[1]]
    everything = {name: joined([part[name] for part in expectations]) for name in expectations[0]}
    metrics = task.metrics(predicted, everything, split)
    chance = task.chance(everything, split)
    known = {} if chance is None else {CHANCE: float(chance)}
    checked = _checked({"loss": sum(part[2] for part in parts) / len(split), **metrics, **known}, task)
    if on_predicted is not None:
        on_predicted(predicted, everything)
    return checked


def facts_of_evaluation(
    task: Task[Any], predictions: Tensor, targets: Mapping[str, Tensor], data: TaskData[Any]
) -> dict[str, Any]:
    """Return what reports say about an evaluation besides its metrics, as JSON can represent it.

    Returns:
        ``samples``; ``mistakes``, what the model confuses; ``worst``, the samples on which it is most wrong. If the
        task fails in one of the last two, that one is left out: nobody would lose a training for it.
    """
    found: dict[str, Any] = {"samples": len(predictions)}
    described: Mapping[str, Callable[[], Mapping[str, Any]]] = {
        "mistakes": lambda: task.mistakes(predictions, targets, data.facts),
        "worst": lambda: task.worst_answers(predictions, targets, data.valid, data.facts),
    }
    for name, describe in described.items():
        with contextlib.suppress(DenasError, ValueError, TypeError):
            with plugin_errors(f"task {task.id!r}", guard=False):
                shown = dict(describe())
                json.dumps(shown, allow_nan=False)
            found[name] = shown
    return found


@contextlib.contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


def _gathered(predictions: Any, targets: Any, loss_sum: float, world: int) -> list[tuple[Any, Any, float]]:
    from torch import distributed

    parts: list[Any] = [None] * world
    distributed.all_gather_object(parts, (predictions, targets, loss_sum))
    return parts


def _checked(metrics: dict[str, float], task: Task[Any]) -> dict[str, float]:
    name = task.metric.name
    if name not in metrics:
        raise PluginError(
            f"task {task.id!r} returned the metrics {', '.join(metrics)}, but not {name!r}, which is its own metric"
        )
    if not math.isfinite(metrics[name]):
        raise NoResult(
            f"{name!r} of the evaluation is {metrics[name]}: the network has diverged; lower training.lr"
        )
    # JSON cannot represent infinite values and NaN.
    return {key: float(value) for key, value in metrics.items() if math.isfinite(value)}
