"""What every task promises about its batches, heads, losses, predictions and metrics."""

from __future__ import annotations

import math
from typing import Any

from denas_core.contracts.task import Task
from denas_core.testing.check import CheckSkipped, check_on, fail, must_succeed
from denas_core.testing.samples.difference import brief
from denas_core.testing.samples.readings import Reading, each_reading
from denas_core.values.batch import Batch

WIDTHS = (5, 12)
"""Features that heads are tried with."""

MOST_DIFFERENT = 1e-4
"""Difference of a prediction in a larger batch that rounding explains."""


@check_on(each_reading)
def batches_fit_their_space(task: Task[Any], reading: Reading) -> None:
    """collate() returns a Batch that networks of the space take, and targets, sample first, on the CPU."""
    size = min(3, len(reading.data.valid))
    batch, targets = task.collate([reading.data.valid.sample(i) for i in range(size)])
    if not isinstance(batch, Batch):
        fail(f"collate() returns {brief(batch)}; return a denas_core.Batch")
    wanted, given = set(reading.space.batch(1, seed=0).inputs), set(batch.inputs)
    if given != wanted:
        fail(f"its batches have {brief(sorted(given))}; networks take {brief(sorted(wanted))}")
    for name, tensor in (*batch.inputs.items(), *targets.items()):
        if tensor.device.type != "cpu" or tensor.dim() == 0 or len(tensor) != size:
            fail(f"of {size} samples {name!r} is {brief(tensor)} on {tensor.device}; put samples first")
    reading.space.forward(reading.network(), batch)


@check_on(each_reading)
def heads_take_the_width(task: Task[Any], reading: Reading) -> None:
    """head() returns a module that takes features of the width it is given, or always None."""
    import torch

    heads = {width: task.head(width, reading.data.facts) for width in WIDTHS}
    none = [width for width, head in heads.items() if head is None]
    if len(none) == len(heads):
        raise CheckSkipped("it keeps the head of the network")
    for width, head in heads.items():
        if head is None:
            fail(f"head() returns None for the widths {none} alone; the facts decide")
        with torch.no_grad(), must_succeed(f"head({width}) of features (2, {width})", "use the width given"):
            head(torch.zeros(2, width))


@check_on(each_reading)
def losses_are_scalars(task: Task[Any], reading: Reading) -> None:
    """loss() is one finite number with gradients for the network, with and without label smoothing."""
    import torch

    for seed, smoothing in ((None, 0.0), (7, 0.1)):
        network = reading.network()
        loss = reading.loss(network, seed, label_smoothing=smoothing)
        if not isinstance(loss, torch.Tensor) or loss.dim() > 0 or not torch.isfinite(loss):
            fail(f"loss() returns {brief(loss)}; return the mean over the samples, a finite scalar")
        if not loss.requires_grad:
            fail(f"loss() returns {brief(loss)}, which has no gradient; do not detach it")
        torch.autograd.backward(loss)
        if not any(p.grad is not None and p.grad.any() for p in network.parameters()):
            fail("the gradient of loss() is 0 for every weight; compute it from the outputs")


@check_on(each_reading)
def predictions_join(task: Task[Any], reading: Reading) -> None:
    """predict() gives each sample its own rows, so that those of several batches join to those of one."""
    import torch

    count = len(reading.data.valid)
    if count < 2:
        raise CheckSkipped("its example has one sample to measure on")
    whole, _ = reading.measured()
    _require_rows(whole, count, "predict()")
    joined, _ = reading.measured(range(1), range(1, count))
    if joined.shape != whole.shape or not torch.allclose(
        joined.double(), whole.double(), atol=MOST_DIFFERENT
    ):
        fail("predictions of two batches, joined, are not those of one; give each sample what is its own")


@check_on(each_reading)
def decodings_are_predictions(task: Task[Any], reading: Reading) -> None:
    """decode() gives each sample its own rows, as predict() does, and metrics() takes them."""
    found, _ = reading.measured(decode=True)
    _require_rows(found, len(reading.data.valid), "decode()")
    _require_metrics(task, reading.metrics(decode=True), "metrics() of what decode() returns")


@check_on(each_reading)
def metrics_are_numbers(task: Task[Any], reading: Reading) -> None:
    """metrics() returns finite numbers by name, its own metric among them."""
    metrics = reading.metrics()
    _require_metrics(task, metrics, "metrics()")
    for name, value in metrics.items():
        if not isinstance(name, str) or type(value) is not float or not math.isfinite(value):
            fail(f"metric {name!r} is {brief(value)}; return a finite float, e.g. float(tensor)")


def _require_rows(found: Any, count: int, method: str) -> None:
    import torch

    if not isinstance(found, torch.Tensor) or found.dim() == 0 or len(found) != count:
        fail(f"{method} of {count} samples returns {brief(found)}; put samples first")


def _require_metrics(task: Task[Any], metrics: Any, method: str) -> None:
    if not isinstance(metrics, dict) or task.metric.name not in metrics:
        fail(f"{method} returns {brief(metrics)}, without {task.metric.name!r}; add the task's metric")
