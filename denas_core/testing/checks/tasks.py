"""What every task must do: read its data the same each time, and lose, predict and measure what it says."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from denas_core.errors import DenasError
from denas_core.testing.check import Check, require
from denas_core.testing.samples.surroundings import left_alone, silent
from denas_core.text import safe_repr

from .learning import LEARNING_CHECKS
from .reading import Foreign, each_reading, other_seeds, rng_of, same

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.contracts.task import Task


def metric_is_declared(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """It names the metric by which the best model is kept, and whether larger or smaller is better."""
    from denas_core.contracts.task import Metric

    metric: Any = getattr(type(task), "metric", None)
    require(
        isinstance(metric, Metric) and metric.direction in ("maximize", "minimize"),
        f"its metric is {safe_repr(metric)}; set metric = Metric(name=..., direction='maximize' or 'minimize')",
    )


def recipe_is_plain(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """Its recipe is a mapping of settings that training has, within their bounds."""
    from denas_core.training.settings import make_settings

    recipe: Any = task.recipe
    try:
        make_settings(task.id, dict(recipe), {})
    except (DenasError, TypeError, ValueError) as error:
        require(False, f"its recipe is {safe_repr(recipe)}: {error}; name settings of 'denas train' in it")


def misfits_are_texts(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """misfit() returns a line of text for every space, the same each time: empty, or why its networks cannot do it."""
    for space in (*spaces, Foreign().named("sample/foreign")):
        first, second = task.misfit(space), task.misfit(space)
        require(
            isinstance(first, str) and "\n" not in first and first == second,
            f"misfit() of {space.id} returns {safe_repr(first)} and then {safe_repr(second)}; return one line of text",
        )


def foreign_spaces_are_misfits(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """misfit() refuses a space whose inputs nothing has: one input of seven dimensions."""
    reason = task.misfit(Foreign().named("sample/foreign"))
    require(
        bool(reason),
        "misfit() accepts a space with an input 'wormhole' of shape (1, 1, 2, 1, 2, 1, 2); look at "
        "space.batch(1, seed=0, kind='cost').inputs, and return what does not fit",
    )


def data_is_read(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """read() returns a TaskData with samples to learn from and to measure on, and notices as texts."""
    from denas_core.contracts.task import TaskData

    for reading in each_reading(task, spaces):
        data: Any = reading.data
        require(isinstance(data, TaskData), f"read() returns {safe_repr(data)}; return a TaskData")
        for name in ("train", "valid"):
            split = getattr(data, name)
            require(
                split is not None and len(split) > 0,
                f"read() without facts returns {safe_repr(split)} as {name!r}; return a Split with samples",
            )
        require(
            all(isinstance(notice, str) for notice in data.notices),
            f"its notices are {safe_repr(data.notices)}; write texts",
        )


def missing_data_is_named(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """read() of data that is not there is a ConfigError that names the path."""
    from denas_core.errors import ConfigError

    for reading in each_reading(task, spaces):
        path = reading.folder / "not-there"
        try:
            task.read(path, reading.space)
        except ConfigError as error:
            require(
                "not-there" in str(error),
                f"the error for missing data is {safe_repr(str(error))}; name the path and what to do",
            )
        except Exception as error:
            require(
                False,
                f"read() of missing data raises {safe_repr(error)}; raise a ConfigError that names the path",
            )
        else:
            require(False, "read() of missing data raises nothing; raise a ConfigError that names the path")


def facts_are_plain(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """The facts of its data are plain values, which JSON keeps as they are."""
    for reading in each_reading(task, spaces):
        facts = dict(reading.data.facts)
        try:
            again = json.loads(json.dumps(facts, allow_nan=False))
        except (TypeError, ValueError) as error:
            again = error
        require(
            again == facts,
            f"the facts {safe_repr(facts)} come back from JSON as {safe_repr(again)}; use texts, numbers, lists and "
            "mappings",
        )


def reading_repeats(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """Data read twice has the same facts, the same splits and the same samples, whatever global generators say."""
    for reading in each_reading(task, spaces):
        with other_seeds():
            again = dataclasses.replace(reading, data=task.read(reading.path, reading.space))
        require(
            again.data.facts == reading.data.facts,
            f"the facts are {safe_repr(dict(reading.data.facts))} and then {safe_repr(dict(again.data.facts))}; draw "
            "from a seed of its own, and sort what a file system lists",
        )
        for name in ("train", "valid"):
            ours, theirs = reading.split(name), again.split(name)
            require(
                len(ours) == len(theirs)
                and all(same(ours.sample(i), theirs.sample(i)) for i in range(len(ours))),
                f"{name!r} has other samples when it is read again; draw from a seed of its own, and sort what a file "
                "system lists",
            )


def facts_are_followed(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """read() with the facts of a trained network gives samples to measure on under the same facts."""
    for reading in each_reading(task, spaces):
        facts = json.loads(json.dumps(dict(reading.data.facts)))
        data = task.read(reading.path, reading.space, facts=facts)
        require(
            data.valid is not None and len(data.valid) > 0 and dict(data.facts) == facts,
            f"read(facts=...) returns {safe_repr(data.valid)} under the facts {safe_repr(dict(data.facts))}; keep "
            "those given",
        )


def samples_repeat(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """A sample is the same each time, as it is and augmented under one seed, whatever was asked before."""
    for reading in each_reading(task, spaces):
        split = reading.split("train")
        for seed in (None, 7):
            before = [split.sample(i, rng_of(seed)) for i in range(len(split))]
            after = [split.sample(i, rng_of(seed)) for i in reversed(range(len(split)))][::-1]
            how = "without rng" if seed is None else "under one seed of rng"
            require(
                all(map(same, before, after)),
                f"sample(index) {how} differs between two calls; keep nothing between calls, and never change what is "
                "kept",
            )


def samples_draw_from_their_rng(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """Augmentation draws from the rng that is given, and from no global generator."""
    for reading in each_reading(task, spaces):
        split = reading.split("train")
        before = [split.sample(i, rng_of(7)) for i in range(len(split))]
        with other_seeds():
            after = [split.sample(i, rng_of(7)) for i in range(len(split))]
        require(
            all(map(same, before, after)),
            "sample(index, rng) differs under other global seeds; draw every number from rng",
        )


def splits_travel(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """Its splits and samples can be pickled, for processes that read samples."""
    for reading in each_reading(task, spaces):
        for name in ("train", "valid"):
            split = reading.split(name)
            try:
                # Bytes of our own.
                copy, sample = pickle.loads(pickle.dumps((split, split.sample(0))))  # noqa: S301
            except Exception as error:
                require(
                    False,
                    f"{name!r} cannot be pickled: {safe_repr(error)}; keep plain values, tensors and paths in it",
                )
            require(
                len(copy) == len(split) and same(copy.sample(0), sample),
                f"{name!r} gives another sample after it was pickled; keep what samples depend on in it",
            )


def it_leaves_the_process_alone(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """It leaves random generators, settings of torch, environment variables and the working directory alone."""
    with left_alone("reading, collating, losing or measuring"):
        _everything(task, spaces)


def it_prints_nothing(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    """It prints nothing to standard output."""
    with silent("reading, collating, losing or measuring"):
        _everything(task, spaces)


TASK_CHECKS: tuple[Check, ...] = (
    metric_is_declared,
    recipe_is_plain,
    misfits_are_texts,
    foreign_spaces_are_misfits,
    data_is_read,
    missing_data_is_named,
    facts_are_plain,
    reading_repeats,
    facts_are_followed,
    samples_repeat,
    samples_draw_from_their_rng,
    splits_travel,
    *LEARNING_CHECKS,
    it_leaves_the_process_alone,
    it_prints_nothing,
)


def _everything(task: Task[Any], spaces: Sequence[SearchSpace]) -> None:
    for reading in each_reading(task, spaces):
        split = reading.split("train")
        samples = [split.sample(i, rng_of(7)) for i in range(len(split))]
        batch, targets = task.collate(samples, rng_of(7))
        task.loss(reading.space.forward(reading.network(), batch), targets, label_smoothing=0.1)
        reading.metrics()
