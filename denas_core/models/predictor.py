"""Answers of a trained model, or of an exported file, for the inputs of a user."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.split import Split
from denas_core.contracts.task import Task
from denas_core.errors import ConfigError, DenasError, PluginError
from denas_core.isolation.plugin_errors import items_of_plugin, plugin_errors
from denas_core.registry.registry import Registry
from denas_core.system.memory import is_out_of_memory
from denas_core.text import one_line
from denas_core.values.answer import Answer
from denas_core.values.batch import Batch, Outputs, joined

from .export_folder import read_card, refuse_damaged_card
from .find import find_model
from .open_export import open_export
from .trained import load_model

if TYPE_CHECKING:
    from torch import Tensor, nn

Forward = Callable[[Batch], Outputs]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The answer for one input.

    Attributes:
        name: Name of the input, such as its path.
        answer: The answer; None if the input cannot be read, or if the network cannot take it.
        fault: The error, if there is no answer.
    """

    name: str
    answer: Answer | None = None
    fault: DenasError | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that are known, as JSON can represent them."""
        found = {} if self.answer is None else self.answer.as_dict()
        return {"input": self.name, **found, **({} if self.fault is None else {"fault": str(self.fault)})}


class Predictor:
    """A trained model, or an exported file, that answers for inputs.

    >>> from denas_core import Predictor
    >>> predictor = Predictor.load("runs/cnn-1")  # doctest: +SKIP
    >>> predictor(["cat.jpg"])[0].answer.text  # doctest: +SKIP
    'cat'

    Attributes:
        path: The directory of the model or of the export.
        space: The space of the network.
        task: What the network was trained for.
        facts: The facts of the network, see `TaskData.facts`.
    """

    def __init__(
        self,
        *,
        path: Path,
        space: SearchSpace,
        task: Task[Any],
        facts: Mapping[str, Any],
        forward: Forward,
        network: nn.Module | None = None,
        device: str = "cpu",
        batch_size: int = 32,
    ) -> None:
        """Take the parts of a model.

        Args:
            path: See the attributes.
            space: See the attributes.
            task: See the attributes.
            facts: See the attributes.
            forward: Runs the network on a batch. Without `network`, the batch has neither masks nor lengths.
            network: The network in eval mode, if `forward` runs it in this process; None for an exported file.
            device: Where `forward` takes its batch.
            batch_size: Samples of a batch.
        """
        self.path, self.space, self.task, self.facts = path, space, task, facts
        self._forward, self._network, self._device = forward, network, device
        self._batch_size = batch_size
        self._runner = f"space {space.id!r}" if network is not None else f"the export in {str(path)!r}"
        with plugin_errors(f"task {task.id!r}", guard=False):
            self._read = task.input_reader(space, facts=facts)

    @classmethod
    def load(
        cls,
        path: Path | str,
        *,
        device: str = "cpu",
        batch_size: int = 32,
        registry: Registry | None = None,
        change: Callable[[Task[Any]], Task[Any]] = lambda task: task,
    ) -> Predictor:
        """Load a trained run, a trained model, or an export.

        Args:
            path: A run directory, a model directory, the directory of an export, or a file in it.
            device: Where a trained model runs; exports run on the CPU.
            batch_size: Samples of a batch.
            registry: The plugins with its space, task and exporter; by default all installed plugins.
            change: Returns the task with other options.

        Raises:
            ConfigError: there is no model at the path, or it was trained for no task.
            NotInstalled: a plugin of the model is missing.
            StoreDamaged: a file of the model or of the export is missing or damaged.
        """
        registry = registry or Registry.discover()
        path = Path(path)
        found = read_card(path)
        if found is not None:
            return cls._of_export(*found, registry, batch_size=batch_size, change=change)
        try:
            directory = find_model(path)
        except ConfigError:
            refuse_damaged_card(path)
            raise
        model = load_model(directory, registry)
        if model.task is None:
            raise ConfigError(
                f"the model in {str(directory)!r} was trained for no task, so it has no answers"
            )
        network, space = model.network.to(device), model.space
        return cls(
            path=directory,
            space=space,
            task=change(model.task),
            facts=model.facts,
            forward=lambda batch: space.forward(network, batch),
            network=network,
            device=device,
            batch_size=batch_size,
        )

    @classmethod
    def _of_export(
        cls,
        directory: Path,
        card: Mapping[str, Any],
        registry: Registry,
        *,
        batch_size: int,
        change: Callable[[Task[Any]], Task[Any]],
    ) -> Predictor:
        export = open_export(directory, card, registry)
        return cls(
            path=directory,
            space=export.space,
            task=change(export.task),
            facts=export.facts,
            forward=lambda batch: _outputs_of(export.run(Batch(inputs=batch.inputs))),
            batch_size=batch_size,
        )

    def __call__(self, inputs: Iterable[Any]) -> list[Prediction]:
        """Return the prediction for each input, in order; see `stream`."""
        return list(self.stream((_name_of(given), given) for given in inputs))

    def stream(self, inputs: Iterable[tuple[str, Any]]) -> Iterator[Prediction]:
        """Yield the prediction for each input, in order. Inputs are read as they are needed.

        Inputs are answered together until they are `batch_size` inputs, or longer than `Answering.longest_batch`.

        Args:
            inputs: Names and inputs. An input is what the task takes, or a text that stands for it, see
                `Answering.item`, or the error because of which it cannot be read.
        """
        waiting: list[_Input] = []
        for name, value in inputs:
            one = _Input(name)
            one.read(self.task, self._read, value)
            if waiting and not self._fit_together([*waiting, one]):
                yield from self._predictions(waiting)
                waiting = []
            waiting.append(one)
            if len(waiting) == self._batch_size:
                # The next input may be long in coming.
                yield from self._predictions(waiting)
                waiting = []
        yield from self._predictions(waiting)

    def named_inputs(self, paths: Iterable[Path]) -> Iterator[tuple[str, Any]]:
        """Yield the inputs that files and folders hold, with their names, see `Answering.items`.

        If nothing, or nothing more, can be read from a path, the error is its input, and the next path follows.
        """
        for path in paths:
            is_empty = True
            try:
                for each in items_of_plugin(partial(self.task.items, path), self._owner, guard=False):
                    is_empty = False
                    yield each
                if is_empty:
                    raise ConfigError(
                        f"{str(path)!r} has nothing to answer: no line or row with content, and no file of a kind that "
                        "is read"
                    )
            except DenasError as error:
                yield str(path), error

    def _fit_together(self, given: Sequence[_Input]) -> bool:
        padded = len(given) * max(one.length for one in given)
        return len(given) <= self._batch_size and padded <= self.task.longest_batch

    @property
    def _owner(self) -> str:
        return f"task {self.task.id!r}"

    def _predictions(self, given: Sequence[_Input]) -> list[Prediction]:
        self._run_all([one for one in given if one.fault is None])
        # A generator would report its own end as an error of the task, if the caller reads no further.
        return [one.prediction(self.task, self.facts) for one in given]

    def _run_all(self, given: Sequence[_Input]) -> None:
        """Run inputs together, or one by one if that fails, so that only those have a fault that cause it."""
        try:
            self._run(given)
        except _CannotRun as found:
            for one in given:
                one.details.clear()
                if len(given) == 1:
                    one.fault = found.fault
                else:
                    self._run_all([one])

    def _run(self, given: Sequence[_Input]) -> None:
        import torch

        samples = [(one, sample) for one in given for sample in one.samples]
        size = self._size(samples[0][1]) if samples else 1
        with torch.inference_mode():
            for start in range(0, len(samples), size):
                part = samples[start : start + size]
                with _faults_of(self._owner):
                    batch, _ = self.task.collate([sample for _, sample in part])
                there = batch.to(device=self._device)
                with _faults_of(self._runner, ConfigError):
                    outputs = self._forward(there)
                split = part[0][0].split
                assert split is not None, "only inputs that can be read are run"
                # What a task refuses here it refuses for every input, such as writing with an export.
                with _faults_of(self._owner):
                    details = self.task.details(self.space, self._network, there, outputs, split).cpu()
                for (one, _), row in zip(part, details, strict=True):
                    one.details.append(row[None])

    def _size(self, sample: Any) -> int:
        """Return the size of batches. Exports take no masks, so that samples that need padding run one at a time."""
        if self._network is not None:
            return self._batch_size
        batch, _ = self.task.collate([sample])
        return 1 if batch.masks or batch.lengths else self._batch_size


@dataclasses.dataclass(slots=True)
class _Input:
    """One input while its answer is being found."""

    name: str
    split: Split[Any] | None = None
    samples: list[Any] = dataclasses.field(default_factory=list)
    details: list[Tensor] = dataclasses.field(default_factory=list)
    fault: DenasError | None = None
    length: float = 0.0

    def read(self, task: Task[Any], reader: Callable[[Any], Split[Any]], given: Any) -> None:
        try:
            if isinstance(given, DenasError):
                raise given
            with plugin_errors(f"task {task.id!r}", guard=False):
                split = reader(task.item(given) if isinstance(given, str) else given)
                self.samples = [split.sample(index) for index in range(len(split))]
                self.length = max((split.length(index) or 0.0 for index in range(len(split))), default=0.0)
            self.split = split
        except DenasError as error:
            self.fault = error

    def prediction(self, task: Task[Any], facts: Mapping[str, Any]) -> Prediction:
        if self.fault is None and self.split is not None:
            try:
                with plugin_errors(f"task {task.id!r}", guard=False):
                    answer = task.answer(joined(self.details), self.split, facts=facts)
                return Prediction(name=self.name, answer=answer)
            except DenasError as error:
                self.fault = error
        return Prediction(name=self.name, fault=self.fault)


class _CannotRun(Exception):
    """The network cannot be run on a batch, perhaps because of one of its inputs."""

    def __init__(self, fault: DenasError) -> None:
        super().__init__(str(fault))
        self.fault = fault


@contextlib.contextmanager
def _faults_of(owner: str, *refusals: type[DenasError]) -> Iterator[None]:
    """Turn exceptions of a component, and the errors that it raises on purpose, into faults of the inputs.

    Raises:
        _CannotRun: the component raised an exception or one of `refusals`.
    """
    faults: tuple[type[DenasError], ...] = (PluginError, *refusals)
    try:
        with plugin_errors(owner, guard=False):
            yield
    except faults as error:
        if error.__cause__ is not None and is_out_of_memory(error.__cause__):
            # The size of the batch is the reason, and not one of its inputs.
            raise error.__cause__ from None
        raise _CannotRun(error) from error


def _outputs_of(logits: Mapping[str, Tensor]) -> Outputs:
    """Return the outputs of an export for a batch without padding."""
    masks = {
        name: tensor.new_ones(tensor.shape[:2]).bool() for name, tensor in logits.items() if tensor.dim() > 2
    }
    return Outputs(features=next(iter(logits.values())), logits=logits, masks=masks)


def _name_of(given: Any) -> str:
    return one_line(str(given))
