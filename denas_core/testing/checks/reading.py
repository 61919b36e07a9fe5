"""What a task reads of its own example data for a space, as checks use it."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.contracts.space import SearchSpace
from denas_core.testing.check import CheckSkipped
from denas_core.testing.samples.surroundings import restored
from denas_core.values.batch import Batch, BatchKind, joined

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.contracts.space import Variant
    from denas_core.contracts.task import Split, Task, TaskData
    from denas_core.values.architecture import Architecture, Knob
    from denas_core.values.batch import Outputs


@dataclasses.dataclass(kw_only=True)
class Foreign(SearchSpace):
    """A space whose only input is of a kind that no task has."""

    def knobs(self) -> tuple[Knob, ...]:
        """Return no choice."""
        return ()

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Build nothing: it is only looked at."""
        raise NotImplementedError("it builds no networks")

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return one whole number by seven dimensions."""
        import torch

        shape = (size, 1, 2, 1, 2, 1, 2)
        device = "meta" if kind == "cost" else "cpu"
        return Batch(inputs={"wormhole": torch.zeros(shape, dtype=torch.int16, device=device)})


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
        """Return the samples to learn from (``train``) or to measure on (``valid``).

        Raises:
            CheckSkipped: there are none.
        """
        split: Split[Any] | None = getattr(self.data, name)
        if split is None:
            raise CheckSkipped(f"its example has no part {name!r}")
        return split

    def network(self) -> nn.Module:
        """Return a network of the space under the head of the task, with fresh weights, in eval mode."""
        from denas_core.models.trained import build_network

        arch = self.space.sample(random.Random(0))
        with restored():
            model = build_network(self.space, arch, task=self.task, facts=self.data.facts)
            return self.space.load(model, arch, seed=0).eval()

    def outputs(self, batch: Batch) -> Outputs:
        """Return what that network makes of a batch."""
        import torch

        with torch.no_grad():
            return self.space.forward(self.network(), batch)

    def measured(
        self, parts: Sequence[Sequence[int]], *, decode: bool = False
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return predictions and targets of the samples to measure on, in batches of given samples, joined.

        Args:
            parts: Which samples each batch has.
            decode: Whether they are predicted by `Task.decode`.
        """
        predictions = []
        targets: list[Mapping[str, Tensor]] = []
        for part in parts:
            batch, found = self.task.collate([self.data.valid.sample(index) for index in part])
            predictions.append(self._decoded(batch) if decode else self.task.predict(self.outputs(batch)))
            targets.append(found)
        return joined(predictions), {name: joined([each[name] for each in targets]) for name in targets[0]}

    def _decoded(self, batch: Batch) -> Tensor:
        import torch

        network = self.network()
        with torch.no_grad():
            outputs = self.space.forward(network, batch)
            return self.task.decode(self.space, network, batch, outputs, self.data.valid)

    def metrics(self) -> dict[str, float]:
        """Return the metrics of the samples to measure on."""
        predictions, targets = self.measured([range(len(self.data.valid))])
        return self.task.metrics(predictions, targets, self.data.valid)


def each_reading(task: Task[Any], spaces: Sequence[SearchSpace]) -> Iterator[Reading]:
    """Yield what the task reads of its example for each space that fits.

    Raises:
        CheckSkipped: no space fits, or the task writes no example.
    """
    fitting = [space for space in spaces if not task.misfit(space)]
    if not fitting:
        reasons = "; ".join(f"{space.id}: {task.misfit(space)}" for space in spaces)
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


def same(first: Any, second: Any) -> bool:
    """Tell whether two values are the same to the last bit, tensors within them too."""
    import torch

    if type(first) is not type(second):
        return False
    if isinstance(first, torch.Tensor):
        return (first.shape, first.dtype) == (second.shape, second.dtype) and torch.equal(first, second)
    if hasattr(first, "__array__"):
        return bool((first == second).all()) if first.shape == second.shape else False
    if isinstance(first, Mapping):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    if dataclasses.is_dataclass(first):
        names = [field.name for field in dataclasses.fields(first)]
        return all(same(getattr(first, name), getattr(second, name)) for name in names)
    # An object without an __eq__ of its own equals itself alone.
    return bool(first == second) or (
        bool(getattr(first, "__dict__", None)) and same(vars(first), vars(second))
    )


def rng_of(seed: int | None) -> random.Random | None:
    """Return numbers for augmentation, or None."""
    return None if seed is None else random.Random(seed)


@contextlib.contextmanager
def other_seeds() -> Iterator[None]:
    """Give the global random generators another state for a while."""
    import numpy
    import torch

    with restored():
        random.seed(11)
        numpy.random.seed(11)
        torch.manual_seed(11)
        yield
