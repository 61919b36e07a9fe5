"""What every task promises about the data that it reads, and about batches, heads, losses, predictions and metrics."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Metric, Task, TaskData
from denas_core.errors import ConfigError
from denas_core.testing.check import CheckSkipped, check, check_on, fail, must_succeed
from denas_core.testing.samples.difference import brief, difference
from denas_core.testing.samples.readings import Foreign, Reading, each_reading, rng_of
from denas_core.values.batch import Batch

from .calls import Call, Loan

FOREIGN = Foreign().named("sample/foreign")
SEEDS = (None, 7)
"""Samples as they are, and augmented."""

WIDTHS = (5, 12)
"""Features that heads are tried with."""

MOST_DIFFERENT = 1e-4
"""Difference of a prediction in a larger batch that rounding explains."""


def calls(task: Task[Any], spaces: tuple[SearchSpace, ...]) -> Iterator[list[Call]]:
    """Yield how a training calls a task, for each space that fits."""
    yield from (_calls(task, reading) for reading in each_reading(task, spaces))


def loans(task: Task[Any], spaces: tuple[SearchSpace, ...]) -> Iterator[Loan]:
    """Yield the calls of a task with samples that others use too."""
    for reading in each_reading(task, spaces):
        samples = dict(enumerate(reading.samples(None)))
        for rng in map(rng_of, SEEDS):
            yield Loan("collate()", partial(task.collate, list(samples.values()), rng), samples.copy)


@check
def metric_is_declared(task: Task[Any]) -> None:
    """It names the metric by which the best model is kept, and whether larger or smaller is better."""
    metric: Any = getattr(type(task), "metric", None)
    if not isinstance(metric, Metric) or metric.direction not in ("maximize", "minimize"):
        fail(f"its metric is {brief(metric)}; set metric = Metric(name=..., direction=...)")


@check
def recipe_is_plain(task: Task[Any]) -> None:
    """Its recipe is a mapping of settings that training has, within their bounds."""
    from denas_core.training.settings import make_settings

    recipe: Any = task.recipe
    with must_succeed(f"using its recipe {brief(recipe)}", "name settings of 'denas train' in it"):
        make_settings(task.id, dict(recipe), {})


@check_on(lambda task, spaces: (*spaces, FOREIGN))
def reasons_are_texts(task: Task[Any], space: SearchSpace) -> None:
    """why_unsuitable() returns one line: empty, or why a space does not fit, such as one input of seven dimensions."""
    found: Any = task.why_unsuitable(space)
    if not isinstance(found, str) or "\n" in found:
        fail(f"why_unsuitable() of {space.id} returns {brief(found)}; return one line of text")
    if space is FOREIGN and not found:
        fail(
            "why_unsuitable() accepts a space with one input 'wormhole' of seven dimensions; look at its batches"
        )


@check_on(each_reading)
def data_is_read(task: Task[Any], reading: Reading) -> None:
    """read() returns a TaskData with samples to learn from and to measure on, and notices as texts."""
    data: Any = reading.data
    if not isinstance(data, TaskData):
        fail(f"read() returns {brief(data)}; return a TaskData")
    for name, split in (("train", data.train), ("valid", data.valid)):
        if split is None or len(split) == 0:
            fail(f"read() without facts returns {brief(split)} as {name!r}; return a Split with samples")
    if not all(isinstance(notice, str) for notice in data.notices):
        fail(f"its notices are {brief(data.notices)}; write texts")


@check_on(each_reading)
def missing_data_is_named(task: Task[Any], reading: Reading) -> None:
    """read() of data that is not there is a ConfigError that names the path."""
    path = reading.folder / "not-there"
    try:
        task.read(path, reading.space)
        found = "nothing"
    except Exception as error:
        if isinstance(error, ConfigError) and path.name in str(error):
            return
        found = brief(error, 200)
    fail(f"read() of missing data raises {found}; raise a ConfigError that names the path")


@check_on(each_reading)
def facts_are_kept(task: Task[Any], reading: Reading) -> None:
    """The facts of its data are plain values, which JSON keeps as they are, and read() with facts keeps those."""
    facts = dict(reading.data.facts)
    with must_succeed(f"writing the facts {brief(facts)} as JSON", "use texts, numbers, lists and mappings"):
        again = json.loads(json.dumps(facts, allow_nan=False))
    if again != facts:
        fail(f"the facts {brief(facts)} come back from JSON as {brief(again)}; use lists, and texts as keys")
    data = task.read(reading.path, reading.space, facts=facts)
    if data.valid is None or len(data.valid) == 0:
        fail(f"read(facts=...) returns {brief(data.valid)} to measure on; return a Split with samples")
    if found := difference(facts, dict(data.facts), "facts"):
        fail(f"read(facts=...) changes the facts: {found}; keep those that are given")


@check_on(each_reading)
def splits_travel(task: Task[Any], reading: Reading) -> None:
    """Its splits and samples can be pickled, for processes that read samples."""
    for name in ("train", "valid"):
        split = reading.split(name)
        with must_succeed(f"pickling {name!r}", "keep plain values, tensors and paths in it"):
            # Bytes of our own.
            copy, sample = pickle.loads(pickle.dumps((split, split.sample(0))))  # noqa: S301
        if len(copy) != len(split) or difference(copy.sample(0), sample):
            fail(f"{name!r} gives another sample after it was pickled; keep in it what samples depend on")


@check_on(each_reading)
def batches_fit_their_space(task: Task[Any], reading: Reading) -> None:
    """collate() returns a Batch that networks of the space take, and targets, sample first, on the CPU."""
    size = min(3, len(reading.data.valid))
    batch, targets = task.collate([reading.data.valid.sample(i) for i in range(size)])
    if not isinstance(batch, Batch):
        fail(f"collate() returns {brief(batch)}; return a denas_core.Batch")
    wanted = set(task.add_inputs(reading.space.batch(1, seed=0)).inputs)
    given = set(batch.inputs)
    if given != wanted:
        fail(
            f"its batches have {brief(sorted(given))}; networks take {brief(sorted(wanted))}, see add_inputs()"
        )
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
    """metrics() returns finite numbers by name, its own metric among them; chance() returns such a number or None."""
    metrics = reading.metrics()
    _require_metrics(task, metrics, "metrics()")
    for name, value in metrics.items():
        if not isinstance(name, str) or type(value) is not float or not math.isfinite(value):
            fail(f"metric {name!r} is {brief(value)}; return a finite float, e.g. float(tensor)")
    chance = task.chance(reading.measured()[1], reading.data.valid)
    if chance is not None and (type(chance) is not float or not math.isfinite(chance)):
        fail(f"chance() returns {brief(chance)}; return a finite float, or None")


@check_on(each_reading)
def mistakes_are_plain(task: Task[Any], reading: Reading) -> None:
    """mistakes() and worst_answers() return mappings that JSON can represent, or empty ones."""
    predictions, targets = reading.measured()
    facts = reading.data.facts
    for name, found in (
        ("mistakes()", task.mistakes(predictions, targets, facts)),
        ("worst_answers()", task.worst_answers(predictions, targets, reading.data.valid, facts)),
    ):
        with must_succeed(
            f"writing {brief(found)} of {name} as JSON", "use texts, numbers, lists and mappings"
        ):
            again = json.loads(json.dumps(found, allow_nan=False))
        if not isinstance(again, dict):
            fail(f"{name} returns {brief(found)}; return a mapping, such as denas_core.worst_answers(...)")


def _require_rows(found: Any, count: int, method: str) -> None:
    import torch

    if not isinstance(found, torch.Tensor) or found.dim() == 0 or len(found) != count:
        fail(f"{method} of {count} samples returns {brief(found)}; put samples first")


def _require_metrics(task: Task[Any], metrics: Any, method: str) -> None:
    if not isinstance(metrics, dict) or task.metric.name not in metrics:
        fail(f"{method} returns {brief(metrics)}, without {task.metric.name!r}; add the task's metric")


def _calls(task: Task[Any], reading: Reading) -> list[Call]:
    return [
        Call("why_unsuitable()", lambda seed: task.why_unsuitable(reading.space)),
        Call("read()", lambda seed: _contents(task.read(reading.path, reading.space))),
        Call("sample()", lambda seed: [reading.samples(augmented) for augmented in SEEDS]),
        Call("collate()", lambda seed: [reading.batch(augmented) for augmented in SEEDS]),
        Call("loss()", lambda seed: reading.loss(reading.network(), 7, label_smoothing=0.1)),
        Call("predict()", lambda seed: reading.measured()),
        Call("metrics()", lambda seed: reading.metrics()),
        # One sample alone, when others were read before it.
        Call("sample()", lambda seed: reading.split("train").sample(0, rng_of(7))),
    ]


def _contents(data: TaskData[Any]) -> dict[str, Any]:
    splits = [split for split in (data.train, data.valid) if split]
    return {"facts": dict(data.facts), "samples": [[s.sample(i) for i in range(len(s))] for s in splits]}
