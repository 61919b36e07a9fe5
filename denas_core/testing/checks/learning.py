"""What the batches, heads, losses, predictions and metrics of a task must be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from denas_core.testing.check import Check, CheckSkipped, require
from denas_core.testing.samples.built import batch_tensors
from denas_core.testing.samples.surroundings import restored
from denas_core.text import safe_repr

from .reading import each_reading, other_seeds, rng_of, same

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.contracts.space import SearchSpace
    from denas_core.contracts.task import Task
    from denas_core.values.batch import Batch

WIDTHS = (5, 12)
"""Features that heads are tried with."""


def batches_fit_their_space(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """collate() returns a Batch that networks of the space take, and targets, sample first, on the CPU."""
    from denas_core.values.batch import Batch

    for reading in each_reading(task, spaces):
        size = min(3, len(reading.data.valid))
        batch, targets = task.collate([reading.data.valid.sample(i) for i in range(size)])
        require(isinstance(batch, Batch), f"collate() returns {safe_repr(batch)}; return a denas_core.Batch")
        wanted = set(reading.space.batch(1, seed=0).inputs)
        require(
            set(batch.inputs) == wanted,
            f"its batches have the inputs {safe_repr(sorted(batch.inputs))}; {reading.space.id} takes "
            f"{safe_repr(sorted(wanted))}",
        )
        for name, tensor in (*batch.inputs.items(), *targets.items()):
            require(
                tensor.dim() > 0 and tensor.shape[0] == size and tensor.device.type == "cpu",
                f"{name!r} of {size} samples has the shape {tuple(tensor.shape)} on {tensor.device}; put samples "
                "first, on the CPU",
            )
        reading.outputs(batch)


def collating_repeats(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """collate() gives the same batch each time, as it is and under one seed, and leaves the samples alone."""
    for reading in each_reading(task, spaces):
        split = reading.split("train")
        for seed in (None, 7):
            samples = [split.sample(i, rng_of(seed)) for i in range(len(split))]
            first = _plain(task.collate(samples, rng_of(seed)))
            with other_seeds():
                second = _plain(task.collate(samples, rng_of(seed)))
            how = "without rng" if seed is None else "under one seed of rng"
            require(
                same(first, second),
                f"collate() of the same samples {how} differs between two calls; draw from rng alone, and "
                "work on copies",
            )


def heads_take_the_width(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """head() returns a module that takes features of the width it is given, or always None."""
    import torch

    for reading in each_reading(task, spaces):
        heads = {}
        for width in WIDTHS:
            with restored(), torch.device("cpu"):
                heads[width] = task.head(width, reading.data.facts)
        none = [width for width, head in heads.items() if head is None]
        require(
            len(none) in (0, len(heads)), f"head() returns None for the widths {none} alone; the facts decide"
        )
        if none:
            raise CheckSkipped("it keeps the head of the network")
        for width, head in heads.items():
            try:
                with torch.no_grad():
                    head(torch.zeros(2, width))  # type: ignore[misc]
            except Exception as error:
                require(
                    False,
                    f"head({width}) does not take features (2, {width}): {safe_repr(error)}; use the width given",
                )


def losses_are_scalars(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """loss() is one finite number with gradients for the network, with and without label smoothing."""
    import torch

    for reading in each_reading(task, spaces):
        split = reading.split("train")
        for seed, smoothing in ((None, 0.0), (7, 0.1)):
            samples = [split.sample(i, rng_of(seed)) for i in range(len(split))]
            batch, targets = task.collate(samples, rng_of(seed))
            network = reading.network()
            loss = task.loss(reading.space.forward(network, batch), targets, label_smoothing=smoothing)
            require(
                isinstance(loss, torch.Tensor) and loss.dim() == 0 and bool(torch.isfinite(loss)),
                f"loss() returns {safe_repr(loss)}; return the mean over the samples, a finite scalar",
            )
            require(
                loss.requires_grad,
                f"loss() returns {safe_repr(loss)}, which has no gradient; do not detach it",
            )
            torch.autograd.backward(loss)
            has_some = any(p.grad is not None and bool(p.grad.any()) for p in network.parameters())
            require(has_some, "the gradient of loss() is 0 for every weight; compute it from the outputs")


def predictions_join(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """predict() gives each sample its own rows, so that those of several batches join to those of one."""
    import torch

    for reading in each_reading(task, spaces):
        count = len(reading.data.valid)
        if count < 2:
            raise CheckSkipped("its example has one sample to measure on")
        whole = reading.measured([range(count)])[0]
        require(
            isinstance(whole, torch.Tensor) and whole.dim() > 0 and whole.shape[0] == count,
            f"predict() of {count} samples returns {safe_repr(getattr(whole, 'shape', whole))}; put samples first",
        )
        joined = reading.measured([range(1), range(1, count)])[0]
        require(
            joined.shape == whole.shape and torch.allclose(joined.double(), whole.double(), atol=1e-4),
            "predictions of two batches, joined, are not those of one; give each sample what is its own",
        )


def decodings_are_predictions(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """decode() gives each sample its own rows, as predict() does, and metrics() takes them."""
    import torch

    for reading in each_reading(task, spaces):
        count = len(reading.data.valid)
        found, targets = reading.measured([range(count)], decode=True)
        require(
            isinstance(found, torch.Tensor) and found.dim() > 0 and found.shape[0] == count,
            f"decode() of {count} samples returns {safe_repr(getattr(found, 'shape', found))}; put samples first",
        )
        metrics = task.metrics(found, targets, reading.data.valid)
        require(
            isinstance(metrics, dict) and task.metric.name in metrics,
            f"metrics() of what decode() returns is {safe_repr(metrics)}, without {task.metric.name!r}",
        )


def metrics_are_numbers(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """metrics() returns finite numbers by name, its own metric among them, the same each time."""
    for reading in each_reading(task, spaces):
        first, second = reading.metrics(), reading.metrics()
        require(
            isinstance(first, dict) and task.metric.name in first,
            f"metrics() returns {safe_repr(first)}, without {task.metric.name!r}, by which the best model is kept",
        )
        for name, value in first.items():
            require(
                isinstance(name, str) and type(value) is float and math.isfinite(value),
                f"metric {name!r} is {safe_repr(value)}; return a finite float, e.g. float(tensor)",
            )
        require(
            first == second,
            f"metrics() returns {safe_repr(first)} and then {safe_repr(second)}; keep no state",
        )


LEARNING_CHECKS: tuple[Check, ...] = (
    batches_fit_their_space,
    collating_repeats,
    heads_take_the_width,
    losses_are_scalars,
    predictions_join,
    decodings_are_predictions,
    metrics_are_numbers,
)


def _plain(collated: tuple[Batch, Mapping[str, Tensor]]) -> tuple[Any, ...]:
    batch, targets = collated
    return batch_tensors(batch), batch.perturbable, dict(batch.units), dict(targets)
