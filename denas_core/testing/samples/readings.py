"""What a task reads of its own example data for a space, as checks use it."""

from __future__ import annotations

import dataclasses
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.split import Split
from denas_core.contracts.task import Task, TaskData
from denas_core.isolation.guard import restored
from denas_core.testing.check import CheckSkipped
from denas_core.values.batch import Batch, joined

from .knobs import Conditional

if TYPE_CHECKING:
    from torch import Tensor, nn


class Foreign(Conditional):
    """A space whose only input is of a kind that no task has: a whole number by seven dimensions."""

    def batch(self, size: int, **kwargs: Any) -> Batch:
        """Return numbers of the value 0."""
        import torch

        device = "meta" if kwargs.get("kind") == "cost" else "cpu"
        numbers = torch.zeros((size, 1, 2, 1, 2, 1, 2), dtype=torch.int16, device=device)
        return Batch(inputs={"wormhole": numbers})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """The example data of a task, read for one space.

    Attributes:
        task: The task.
        space: The space.
        folder: A folder of this reading.
        path: Where the data is.
        data: What `Task.read` returned.
    """

    task: Task[Any]
    space: SearchSpace
    folder: Path
    path: Path
    data: TaskData[Any]

    def split(self, name: str) -> Split[Any]:
        """Return the samples to learn from (``train``) or to measure on (``valid``); skip the check without any."""
        split: Split[Any] | None = getattr(self.data, name)
        if split is None:
            raise CheckSkipped(f"its example has no part {name!r}")
        return split

    def samples(self, seed: int | None) -> list[Any]:
        """Return the samples to learn from: as they are without a seed, augmented under one."""
        split = self.split("train")
        return [split.sample(index, rng_of(seed)) for index in range(len(split))]

    def batch(self, seed: int | None) -> tuple[Batch, dict[str, Tensor]]:
        """Return the batch of all samples to learn from, and their targets."""
        return self.task.collate(self.samples(seed), rng_of(seed))

    def loss(self, network: nn.Module, seed: int | None, *, label_smoothing: float) -> Any:
        """Return the loss of that batch."""
        batch, targets = self.batch(seed)
        outputs = self.space.forward(network, batch)
        return self.task.loss(outputs, targets, label_smoothing=label_smoothing)

    def network(self) -> nn.Module:
        """Return a network of the space under the head of the task, with fresh weights, in eval mode."""
        from denas_core.models.trained import build_network

        arch = self.space.sample(random.Random(0))
        with restored():
            model = build_network(self.space, arch, task=self.task, facts=self.data.facts)
            return self.space.load(model, arch, seed=0).eval()

    def measured(self, *parts: Sequence[int], decode: bool = False) -> tuple[Tensor, dict[str, Tensor]]:
        """Return predictions and targets of the samples to measure on, in batches of the given samples, joined.

        Args:
            parts: Which samples each batch has; all in one batch if none are given.
            decode: Whether they are predicted by `Task.decode`.
        """
        import torch

        task, valid, network = self.task, self.data.valid, self.network()
        predictions, targets = [], []
        for part in parts or (range(len(valid)),):
            batch, found = task.collate([valid.sample(index) for index in part])
            targets.append(found)
            with torch.no_grad():
                outputs = self.space.forward(network, batch)
                decoded = task.decode(self.space, network, batch, outputs, valid) if decode else None
                predictions.append(task.assess(outputs, found) if decoded is None else decoded)
        return joined(predictions), {name: joined([each[name] for each in targets]) for name in targets[0]}

    def metrics(self, *, decode: bool = False) -> Any:
        """Return the metrics of the samples to measure on."""
        predictions, targets = self.measured(decode=decode)
        return self.task.metrics(predictions, targets, self.data.valid)


def each_reading(task: Task[Any], spaces: Sequence[SearchSpace]) -> Iterator[Reading]:
    """Yield what the task reads of its example for each space that fits; skip the check if there is none."""
    fitting = [space for space in spaces if not task.why_unsuitable(space)]
    if not fitting:
        reasons = "; ".join(f"{space.id}: {task.why_unsuitable(space)}" for space in spaces)
        raise CheckSkipped(f"no space fits ({reasons}); name one with --space, or override spaces()")
    for space in fitting:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "example").mkdir()
            try:
                path = task.example(folder / "example", space)
            except NotImplementedError as error:
                raise CheckSkipped(f"it has no example: {error}") from error
            yield Reading(task=task, space=space, folder=folder, path=path, data=task.read(path, space))


def rng_of(seed: int | None) -> random.Random | None:
    """Return numbers for augmentation, or None without a seed."""
    return None if seed is None else random.Random(seed)
