"""The task contract: a task has the data, the loss and the metrics that a network is trained with."""

from __future__ import annotations

import dataclasses
import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from denas_core.values.table import Direction

from .answering import Answering
from .split import Split

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.values.architecture import Architecture
    from denas_core.values.batch import Batch, Outputs
    from denas_core.values.description import DataDescription

    from .original import KeyTable
    from .space import SearchSpace, Variant

S = TypeVar("S")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """The metric by which training chooses the best model.

    Attributes:
        name: Key in the result of `Task.metrics`.
        direction: Whether larger or smaller values are better.
        worst: Value of a model that has learned nothing, such as an error rate of 1. Worse values count as equal to it.
        is_share: Whether the metric is a share, such as accuracy or an error rate. The number of samples then says how
            large a difference of two models must be to be no chance.
    """

    name: str
    direction: Direction = "maximize"
    worst: float | None = None
    is_share: bool = False

    def is_better(self, value: float, than: float | None) -> bool:
        """Return whether `value` is better than another; any value is better than None."""
        if than is None:
            return True
        value, than = self.counted(value), self.counted(than)
        return value > than if self.direction == "maximize" else value < than

    def counted(self, value: float) -> float:
        """Return `value`, or `worst` if that is better: a model that has learned nothing is not worse than another."""
        if self.worst is None:
            return value
        return max(value, self.worst) if self.direction == "maximize" else min(value, self.worst)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TaskData(Generic[S]):
    """A data set that a task has opened.

    Attributes:
        train: Samples to train on; None if they are not needed, as in an evaluation.
        valid: Samples to measure metrics on.
        facts: What is needed to use the trained network, such as labels, the size and normalisation of inputs, or a
            vocabulary. JSON must be able to represent it, and it is stored with the weights.
        notices: Sentences for the user about the data, such as that samples were left out.
        contents: What the data are, for the beginning of a training: short phrases such as ``2 classes: ant, bee``.
    """

    train: Split[S] | None
    valid: Split[S]
    facts: Mapping[str, Any]
    notices: Sequence[str] = ()
    contents: Sequence[str] = ()


@dataclasses.dataclass(kw_only=True)
class Task(Answering[S], ABC, Generic[S]):
    """A task that networks are trained for.

    A subclass is a keyword-only dataclass whose fields are its options. It keeps no state: the data that it reads is in
    `TaskData`, and what is needed to use a trained network is in `TaskData.facts`.

    A complete task. Its data is a JSON file with rows of twelve numbers, and each row ends with the class to predict:

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
    ...     metric = Metric(name="accuracy", is_share=True)
    ...
    ...     def why_unsuitable(self, space):
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
    >>> Table().why_unsuitable(SampleMLP())
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
    """The metric by which training chooses the best model. A threshold on it can end training early."""

    recipe: ClassVar[Mapping[str, Any]] = {}
    """Training settings that suit this task. They replace the engine's defaults; the user's settings replace them."""

    @classmethod
    def legacy(cls) -> KeyTable | None:
        """Return what the keys of the original's training configurations mean, or None if it had no such task."""
        return None

    @abstractmethod
    def why_unsuitable(self, space: SearchSpace) -> str:
        """Return why networks of `space` are not suitable for this task, or an empty string if they are."""

    @abstractmethod
    def read(self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None) -> TaskData[S]:
        """Open the data set at `data` for networks of `space`. Samples are read later, one at a time.

        Args:
            data: A file or folder, in any of the formats that the task knows.
            space: The space of the networks that will get the samples.
            facts: The facts of a trained network, with which the data must agree. Only ``valid`` is then needed.

        Raises:
            ConfigError: a file is missing, damaged or unsuitable. The text names the file and says what to do.
        """

    def describe(self, data: Path) -> DataDescription | None:
        """Return what the data set at `data` contains, or None if this task does not read data of that kind.

        It must be quick for large data: it reads names, headers, and at most a few hundred samples.

        Raises:
            ConfigError: the data are of this kind, and `read` would refuse them.
        """
        return None

    @abstractmethod
    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module | None:
        """Return the last module of the network, or None to keep the network's own.

        Args:
            width: Number of features that the module takes; its input is (samples, ..., width).
            facts: See `TaskData.facts`.
        """

    @abstractmethod
    def collate(
        self, samples: Sequence[S], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return a batch of samples, and its targets by name; the first dimension of a target is the sample.

        Args:
            samples: Samples that `Split.sample` returned.
            rng: Generator for augmentation that mixes samples, such as mixup; None for no augmentation.
        """

    @abstractmethod
    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the mean loss of a batch, a scalar."""

    @abstractmethod
    def predict(self, outputs: Outputs) -> Tensor:
        """Return the predictions for a batch, (samples, ...), which `metrics` gets.

        Training calls this after each epoch, so it must be quick, and it gets only the outputs. The predictions of all
        batches are joined; if their other dimensions differ, the smaller ones are filled with -1.
        """

    @abstractmethod
    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[S]
    ) -> dict[str, float]:
        """Return the metrics of a whole split.

        Args:
            predictions: The results of `predict` for all batches, joined, in the order of the split.
            targets: The targets that `collate` returned, joined in the same way.
            split: The samples, for metrics that need more than tensors.
        """

    def chance(self, targets: Mapping[str, Tensor], facts: Mapping[str, Any]) -> float | None:
        """Return the value of `metric` for a model that has learned nothing, such as the share of the largest class.

        Reports compare trained networks with it. By default it is ``metric.worst``, or None if that is not known.
        Targets are those that `metrics` gets; for facts see `TaskData.facts`.
        """
        return self.metric.worst

    def mistakes(
        self, predictions: Tensor, targets: Mapping[str, Tensor], facts: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return what a model confuses, for people; by default nothing is known of it.

        It is stored with the result of a training, so it must be small, and JSON must be able to represent it. Reports
        show what `denas_core.confusion` returns, for tasks that predict a class. Predictions and targets are those that
        `metrics` gets.
        """
        return {}

    def decode(
        self, space: SearchSpace, network: nn.Module, batch: Batch, outputs: Outputs, split: Split[S]
    ) -> Tensor:
        """Return the final predictions of a trained network, in the form that `predict` returns.

        By default they are those of `predict`. A task overrides this method if it must run the network more than once,
        for example to generate one symbol after the other.

        Args:
            space: The space of the network.
            network: The network, in eval mode.
            batch: The batch, on the device of the network.
            outputs: The outputs of the network for the batch.
            split: The split that the samples of the batch come from.
        """
        return self.predict(outputs)

    def details(
        self, space: SearchSpace, network: nn.Module | None, batch: Batch, outputs: Outputs, split: Split[S]
    ) -> Tensor:
        """Return what `answer` needs of a batch, (samples, ...).

        By default it is what `decode` finds, or `predict` if there is no network.

        Args:
            space: The space of the network.
            network: The network in eval mode; None if an exported file is used, which gives only outputs.
            batch: The batch, on the device of the network.
            outputs: The outputs for the batch.
            split: The samples of one of the inputs in the batch.

        Raises:
            ConfigError: the options of the task need the network, and there is none.
        """
        return (
            self.predict(outputs) if network is None else self.decode(space, network, batch, outputs, split)
        )

    def imitation(self, outputs: Outputs, taught: Outputs, *, temperature: float) -> Tensor:
        """Return the distillation loss: how far outputs are from those of a teacher for the same batch, a scalar.

        By default this is the Kullback-Leibler divergence of the softened logits, averaged over the samples, or over
        the positions that the mask includes. A task overrides this method if the last dimension of its outputs does
        not hold scores of labels.

        Args:
            outputs: The outputs of the network that learns.
            taught: The outputs of its teacher, with the same names and shapes.
            temperature: The number by which logits are divided before the softmax.
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
        """Write a small data set that `read` can open for `space`, and return its path.

        The conformance checks of a task run on it, and users can try the task with it.

        Args:
            folder: An empty folder.
            space: A space that is suitable for the task.
        """
        raise NotImplementedError(f"task {self.id!r} writes no example of its data")


def head_width(space: SearchSpace, network: nn.Module) -> int:
    """Return the number of features that a new head gets. `network` is on the meta device and has no head."""
    # Eval mode, because batch normalisation cannot train on one sample.
    outputs = space.forward(network.eval(), space.batch(1, seed=0, kind="cost"))
    return int(next(iter(outputs.logits.values())).shape[-1])


def build_network(
    space: SearchSpace,
    arch: Architecture,
    *,
    task: Task[Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    variant: Variant = "full",
) -> nn.Module:
    """Return the network of `arch` on the meta device, with the head of `task` if the task has one."""
    import torch
    from torch import nn

    with torch.device("meta"):
        head = None
        if task is not None:
            head = task.head(head_width(space, space.build(arch, head=nn.Identity())), facts or {})
        return space.build(arch, head=head, variant=variant)
