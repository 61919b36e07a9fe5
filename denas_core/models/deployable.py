"""A trained network as plain PyTorch module that takes tensors, returns logits, and can be traced."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from denas_core.errors import ConfigError, PluginError
from denas_core.networks.stages import Stage, stages_of
from denas_core.text import describe_error, safe_repr
from denas_core.values.batch import Batch, OpenDimension

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.contracts.task import Task
    from denas_core.contracts.trained_model import TrainedModel
    from denas_core.values.architecture import Architecture

BATCH = "batch"
"""Name of the first dimension, the number of samples."""

TRACED_SIZE = 2
"""Samples of the batch for tracing. torch would treat a size of 1 as constant."""


class Deployable(nn.Module, ABC):
    """A network, or a stage of one, whose forward takes tensors in order and returns tensors.

    Attributes:
        space: The space of the network.
        task: The task whose batches have further inputs; None for none.
        network: The network or the stage.
        input_names: Names of the inputs, in order.
        open: For each input, by index, the dimensions that may have any size. The number of samples, which may always
            have any size, is not among them.
    """

    space: SearchSpace
    task: Task[Any] | None = None
    network: nn.Module
    input_names: tuple[str, ...]
    open: tuple[Mapping[int, OpenDimension], ...]

    @abstractmethod
    def example(self, size: int) -> tuple[Tensor, ...]:
        """Return inputs of `size` samples."""

    @property
    @abstractmethod
    def output_names(self) -> tuple[str, ...]:
        """Names of the results of `forward`, in order."""

    def named(self, outputs: Any) -> dict[str, Tensor]:
        """Return the results of `forward` by name."""
        return named_outputs(self.output_names, outputs)


class DeployableNetwork(Deployable):
    """A network whose forward takes the inputs of a batch of its space, in order, and returns the logits."""

    def __init__(self, space: SearchSpace, network: nn.Module, task: Task[Any] | None = None) -> None:
        """Take a network; if `task` is given, its forward takes the inputs of batches of this task."""
        super().__init__()
        self.network = network
        self.space = space
        self.task = task
        batch = batch_of(space, task, 1)
        self.input_names = tuple(batch.inputs)
        self.open = tuple(batch.open.get(name, {}) for name in self.input_names)

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return the logits, or a tuple if there are several. No position of the inputs is masked."""
        batch = Batch(inputs=dict(zip(self.input_names, inputs, strict=True)))
        logits = tuple(self.space.forward(self.network, batch).logits.values())
        return logits[0] if len(logits) == 1 else logits

    def example(self, size: int) -> tuple[Tensor, ...]:
        """Return the inputs of a batch of the space or of the task."""
        return tuple(batch_of(self.space, self.task, size).inputs.values())

    @functools.cached_property
    def output_names(self) -> tuple[str, ...]:
        """Names of the logits, in order. The network is run to find them."""
        inputs = batch_of(self.space, self.task, 1).inputs
        with torch.inference_mode():
            return tuple(self.space.forward(self.network, Batch(inputs=inputs)).logits)


class DeployableStage(Deployable):
    """One stage of a network, see `Stage`."""

    def __init__(self, space: SearchSpace, stages: Sequence[Stage], place: int) -> None:
        """Take the stage with index `place`. The stages before it compute its example.

        Raises:
            PluginError: the stage has an input that neither the batch nor an earlier stage provides.
        """
        super().__init__()
        self._before, self._stage = stages[:place], stages[place]
        self.network = self._stage.module
        self.space = space
        self.input_names = self._stage.inputs
        batch = space.batch(1, seed=0)
        known: dict[str, Mapping[int, OpenDimension]] = {
            name: batch.open.get(name, {}) for name in batch.inputs
        }
        for stage in self._before:
            known |= {name: stage.open.get(name, {}) for name in stage.outputs}
        if missing := sorted({*self.input_names} - {*known}):
            raise PluginError(
                f"stage {self._stage.name!r} of a network of {space.id!r} has the inputs {safe_repr(missing)}, which "
                "neither the batch nor an earlier stage provides"
            )
        self.open = tuple(known[name] for name in self.input_names)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the results of the stage."""
        return self._stage.outputs

    def forward(self, *inputs: Tensor) -> Any:
        """Return the results of the stage."""
        return self.network(*inputs)

    def example(self, size: int) -> tuple[Tensor, ...]:
        """Return the inputs that earlier stages compute from a batch of the space."""
        known = dict(self.space.batch(size, seed=0).inputs)
        with torch.no_grad():
            for stage in self._before:
                outputs = stage.module(*(known[name] for name in stage.inputs))
                known |= named_outputs(stage.outputs, outputs)
        return tuple(known[name] for name in self.input_names)


def batch_of(space: SearchSpace, task: Task[Any] | None, size: int, *, seed: int = 0) -> Batch:
    """Return a batch of a space, with the inputs that a task adds."""
    batch = space.batch(size, seed=seed)
    return batch if task is None else task.add_inputs(batch)


def deployable_network(model: TrainedModel) -> Deployable:
    """Return the network of `model` as plain PyTorch module in eval mode. Its weights are shared, not copied."""
    return DeployableNetwork(model.space, model.network, model.task).eval()


def fresh_network(space: SearchSpace, arch: Architecture, *, seed: int) -> Deployable:
    """Return the network of `arch` in eval mode, with the weights with which a training with this seed would begin."""
    with torch.device("meta"):
        network = space.build(arch)
    return DeployableNetwork(space, space.load(network, arch, seed=seed).eval()).eval()


def deployable_stages(model: TrainedModel) -> dict[str, Deployable]:
    """Return the stages of the network of `model` by name, like `deployable_network`; empty if it has none."""
    stages = stages_of(model.network)
    return {
        stage.name: DeployableStage(model.space, stages, place).eval() for place, stage in enumerate(stages)
    }


def named_outputs(names: tuple[str, ...] | list[str], outputs: Any) -> dict[str, Tensor]:
    """Return a mapping from names to `outputs`, which are one tensor or a sequence of tensors."""
    tensors = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    return dict(zip(names, tensors, strict=True))


def traced(module: Deployable, *, batch_size: int | None = None) -> torch.export.ExportedProgram:
    """Return `module` as a `torch.export` program for batches and open dimensions of any size.

    Args:
        module: The network or the stage.
        batch_size: Number of samples of each batch; None for any number.

    Raises:
        ConfigError: torch cannot trace it, or only for one size. The text gives the reason.
    """
    try:
        with torch.no_grad():
            inputs = module.example(batch_size or TRACED_SIZE)
            shapes = _dynamic(module, batch_size)
            program = torch.export.export(module, inputs, dynamic_shapes=(shapes,), strict=False)
    except Exception as error:
        raise ConfigError(
            f"torch.export cannot trace this network of {module.space.id!r}: {describe_error(error, 300)}; "
            "export it to safetensors"
        ) from error
    _forget_sources(program)
    return program


def _forget_sources(program: torch.export.ExportedProgram) -> None:
    """Remove where each operator comes from: these are paths of this machine, and they would be in the files."""
    for module in program.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                node.meta.pop("stack_trace", None)


def dimension_names(module: Deployable) -> tuple[dict[int, str], ...]:
    """Return for each input the names of its dimensions that may have any size, by index of the dimension."""
    return tuple(
        {0: BATCH, **{place: dimension.name for place, dimension in places.items()}} for places in module.open
    )


def shortened(batch: Batch) -> Batch:
    """Return `batch` with its open dimensions cut to half their size, or to their smallest allowed size."""

    def cut(name: str, tensor: Tensor) -> Tensor:
        for place, dimension in batch.open.get(name, {}).items():
            tensor = tensor.narrow(place, 0, max(dimension.at_least, tensor.shape[place] // 2))
        return tensor

    return Batch(inputs={name: cut(name, tensor) for name, tensor in batch.inputs.items()})


def _dynamic(module: Deployable, batch_size: int | None) -> tuple[dict[int, Any], ...]:
    dimensions: dict[str, Any] = {
        BATCH: torch.export.Dim(BATCH) if batch_size is None else torch.export.Dim.STATIC
    }
    for places in module.open:
        for dimension in places.values():
            if dimension.name not in dimensions:
                # A minimum of 1 is left out, because torch treats it like a minimum of 0.
                least = dimension.at_least if dimension.at_least > 1 else None
                dimensions[dimension.name] = torch.export.Dim(
                    dimension.name, min=least, max=dimension.at_most
                )
    return tuple(
        {place: dimensions[name] for place, name in names.items()} for names in dimension_names(module)
    )
