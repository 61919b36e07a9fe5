"""The task contract: what a network is trained for -- its data, its loss and its metrics."""

from __future__ import annotations

import dataclasses
import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from denas_core.values.table import Direction

from .component import Component

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.values.batch import Batch, Outputs

    from .original import KeyTable
    from .space import SearchSpace

S = TypeVar("S")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """The number by which the best model is kept.

    Attributes:
        name: Key in what `Task.metrics` returns.
        direction: Whether larger or smaller values are better.
        worst: Value of a model that knows nothing, such as an error rate of 1: what is worse counts as equal to it.
    """

    name: str
    direction: Direction = "maximize"
    worst: float | None = None

    def is_better(self, value: float, than: float | None) -> bool:
        """Tell whether `value` beats another, or the lack of one."""
        if than is None:
            return True
        value, than = self._counted(value), self._counted(than)
        return value > than if self.direction == "maximize" else value < than

    def _counted(self, value: float) -> float:
        if self.worst is None:
            return value
        return max(value, self.worst) if self.direction == "maximize" else min(value, self.worst)


class Split(ABC, Generic[S]):
    """One part of a data set, read sample by sample."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @abstractmethod
    def sample(self, index: int, rng: random.Random | None = None) -> S:
        """Return one sample, as `Task.collate` takes it.

        Args:
            index: From 0.
            rng: Numbers for its augmentation, seeded by sample and epoch; None for a sample as it is.
        """

    def length(self, index: int) -> float | None:
        """Return how long a sample is, in any unit, without reading it; None where samples are padded to no length.

        Batches to learn from are of samples of similar length where every sample has one.

        Args:
            index: From 0.
        """
        return None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TaskData(Generic[S]):
    """What a task has read.

    Attributes:
        train: What to learn from; None where only an evaluation was asked for.
        valid: What to measure on.
        facts: What a trained network cannot be used without, fit for JSON: labels, size and normalisation of inputs, a
            vocabulary. Kept with the weights.
        notices: What the user should know about the data, such as samples that were left out.
    """

    train: Split[S] | None
    valid: Split[S]
    facts: Mapping[str, Any]
    notices: Sequence[str] = ()


@dataclasses.dataclass(kw_only=True)
class Task(Component, ABC, Generic[S]):
    """What a network is trained for.

    A subclass is a keyword-only dataclass whose fields are its options. It keeps no state: what it reads is in the
    `TaskData`, and what a trained network needs of it in `TaskData.facts`.

    A complete task, which sorts rows of twelve numbers in a JSON file by the class that ends each row:

    >>> import dataclasses
    >>> import json
    >>> import tempfile
    >>> from pathlib import Path
    >>> import torch
    >>> from denas_core import Batch, Metric, Split, Task, TaskData
    >>> from denas_core.testing import SampleMLP
    >>> class Rows(Split):
    ...     def __init__(self, rows):
    ...         self.rows = rows
    ...
    ...     def __len__(self):
    ...         return len(self.rows)
    ...
    ...     def sample(self, index, rng=None):
    ...         return self.rows[index]
    >>> @dataclasses.dataclass(kw_only=True)
    ... class Table(Task):
    ...     metric = Metric(name="accuracy")
    ...
    ...     def misfit(self, space):
    ...         (shape,) = (x.shape[1:] for x in space.batch(1, seed=0, kind="cost").inputs.values())
    ...         return "" if shape == (12,) else f"its samples have the shape {tuple(shape)}, not (12,)"
    ...
    ...     def read(self, data, space, *, facts=None):
    ...         rows = Rows(json.loads(data.read_text()))
    ...         return TaskData(train=rows, valid=rows, facts=facts or {"classes": 2})
    ...
    ...     def head(self, width, facts):
    ...         return torch.nn.Linear(width, facts["classes"])
    ...
    ...     def collate(self, samples, rng=None):
    ...         rows = torch.tensor(samples)
    ...         return Batch(inputs={"x": rows[:, :-1]}), {"label": rows[:, -1].long()}
    ...
    ...     def loss(self, outputs, targets, *, label_smoothing=0.0):
    ...         logits, label = outputs.logits["logits"], targets["label"]
    ...         return torch.nn.functional.cross_entropy(logits, label, label_smoothing=label_smoothing)
    ...
    ...     def predict(self, outputs):
    ...         return outputs.logits["logits"].argmax(-1)
    ...
    ...     def metrics(self, predictions, targets, split):
    ...         return {"accuracy": float((predictions == targets["label"]).double().mean())}
    >>> Table().misfit(SampleMLP())
    ''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "rows.json"
    ...     _ = file.write_text(json.dumps([[0.0] * 12 + [0], [1.0] * 12 + [1]]))
    ...     data = Table().read(file, SampleMLP())
    >>> batch, targets = Table().collate([data.valid.sample(index) for index in range(len(data.valid))])
    >>> batch.inputs["x"].shape, targets["label"].tolist()
    (torch.Size([2, 12]), [0, 1])
    """

    metric: ClassVar[Metric]
    """The number by which the best model is kept, and a threshold stops training."""

    recipe: ClassVar[Mapping[str, Any]] = {}
    """Settings of training that suit this task, over the defaults of the engine; the user's own beat them."""

    @classmethod
    def legacy(cls) -> KeyTable | None:
        """Return what keys of the original's trainings mean for this task, or None where it had no such task."""
        return None

    @abstractmethod
    def misfit(self, space: SearchSpace) -> str:
        """Return why networks of `space` cannot do this task; empty if they can."""

    @abstractmethod
    def read(self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None) -> TaskData[S]:
        """Open the data set at `data` for networks of `space`; samples are read when they are asked for.

        Args:
            data: A file or folder, in any of the formats that the task knows.
            space: The space whose networks see the samples.
            facts: Those of a trained network, which the data then has to agree with; only ``valid`` is needed.

        Raises:
            ConfigError: naming the file that is missing, damaged or does not fit, and what to do.
        """

    @abstractmethod
    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module | None:
        """Return the last module, which takes features (samples, ..., width); None keeps the network's own."""

    @abstractmethod
    def collate(
        self, samples: Sequence[S], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return the batch of some samples, and what the outputs are compared with, by name, sample first.

        Args:
            samples: As `Split.sample` returns them.
            rng: Numbers for augmentation across samples, such as mixup; None for samples as they are.
        """

    @abstractmethod
    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the mean loss of a batch, a scalar."""

    @abstractmethod
    def predict(self, outputs: Outputs) -> Tensor:
        """Return what `metrics` needs of a batch, (samples, ...).

        Training is steered by it, so it is quick, and made of the outputs alone. Samples of several batches are joined;
        where they are of other widths, they are filled with -1.
        """

    @abstractmethod
    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[S]
    ) -> dict[str, float]:
        """Return the metrics of a whole split.

        Args:
            predictions: As `predict` returns them, all batches joined, in the order of the split.
            targets: As `collate` returns them, joined likewise.
            split: The samples themselves, for what is in no tensor.
        """

    def decode(
        self, space: SearchSpace, network: nn.Module, batch: Batch, outputs: Outputs, split: Split[S]
    ) -> Tensor:
        """Return what a trained network is measured by, in the form that `predict` returns.

        A task overrides this that asks the network again, such as for one symbol after the other.

        Args:
            space: The space of the network.
            network: In eval mode.
            batch: On the device of the network.
            outputs: What the network has made of the batch.
            split: What the samples of the batch are of.
        """
        return self.predict(outputs)

    def imitation(self, outputs: Outputs, taught: Outputs, *, temperature: float) -> Tensor:
        """Return how far outputs are from those of a teacher for the same batch, a scalar.

        By default the divergence of the softened logits, mean over the samples or over the positions that count, which
        suits labels. A task overrides this whose outputs are no scores of labels in their last dimension.

        Args:
            outputs: Those of the network that learns.
            taught: Those of its teacher, of the same names and shapes.
            temperature: What logits are divided by.
        """
        import torch
        from torch.nn import functional

        parts = []
        for name in (name for name in outputs.logits if name in taught.logits):
            ours = functional.log_softmax(outputs.logits[name].float() / temperature, dim=-1)
            theirs = functional.log_softmax(taught.logits[name].float() / temperature, dim=-1)
            divergence = functional.kl_div(ours, theirs, reduction="none", log_target=True).sum(-1)
            mask = outputs.masks.get(name)
            parts.append(divergence.mean() if mask is None else divergence[mask].mean())
        return torch.stack(parts).sum()

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write a small data set that `read` opens for `space`, and return where it is.

        The conformance checks of a task run on it, and whoever wants to try the task has something to try it on.

        Args:
            folder: An empty folder.
            space: One that the task does not call a misfit.
        """
        raise NotImplementedError(f"task {self.id!r} writes no example of its data")


def head_width(space: SearchSpace, network: nn.Module) -> int:
    """Return the features that a head of `network`, built on meta without one, would take."""
    # In eval mode, since batch normalisation refuses to train on one sample.
    outputs = space.forward(network.eval(), space.batch(1, seed=0, kind="cost"))
    return int(next(iter(outputs.logits.values())).shape[-1])
