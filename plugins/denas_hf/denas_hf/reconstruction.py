"""Fit inherited weights to the outputs of the checkpoint, layer by layer, in closed form and without labels.

A network that lacks members of its checkpoint gives its layers other inputs than the checkpoint does. Each projection
is therefore fitted again: from the inputs that it has in the smaller network, to the outputs that the same projection
has in the checkpoint for the same calibration batch. This is the least-squares reconstruction with which ThiNet ends
(Luo et al. 2017, arXiv:1707.06342, section 3.2.3).
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from denas_core import Batch
from denas_core.pretrained import Axis, Choice

from .importance import Checkpoint
from .importance.places import blocks_of, factored, norms_of
from .original import Original
from .watching import Call, is_norm, replaced, rows, watched

RIDGE = 0.03
"""Weight of the distance from the inherited weights, relative to the mean square of an input."""

ENDS = ("attention.out", "ffn.out")
"""Kinds of projections whose outputs are added to the features of the layer."""


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """Modules that are fitted together: projections with the same input, and the norm of what the last one is added to.

    Attributes:
        projections: Names of the projections; empty for a norm alone.
        norm: Name of the norm; empty if the outputs of the projections are not added to anything.
        block: Name of the block; empty outside of blocks.
    """

    projections: tuple[str, ...]
    norm: str
    block: str


def reconstruct(network: nn.Module, checkpoint: Checkpoint, choice: Choice) -> None:
    """Fit the weights of a base model that inherits the members of `choice`.

    Modules that run several times in a pass, such as shared layers, keep their inherited weights.

    Args:
        network: The base model of the smaller network, on the CPU. Its weights are changed.
        checkpoint: The checkpoint and the calibration batches.
        choice: The members that the network has inherited.
    """
    was_training = network.training
    network.eval()
    with torch.no_grad():
        _Fit(network, checkpoint, choice).run()
    network.train(was_training)


class _Fit:
    def __init__(self, network: nn.Module, checkpoint: Checkpoint, choice: Choice) -> None:
        self._network, self._checkpoint, self._choice = network, checkpoint, choice
        config: Any = network.config
        self._sizes = checkpoint.original.sizes(config)
        self._original = Original(config, checkpoint.original.family)
        self._blocks = tuple(blocks_of(network, self._original))
        self._modules = dict(network.named_modules())
        self._done: list[dict[str, Any]] = [{} for _ in checkpoint.batches]
        self._taught: dict[str, tuple[Tensor, Tensor]] = {}

    def run(self) -> None:
        steps = self._steps()
        if not steps:
            return
        self._ends = self._block_ends(steps)
        self._teach(steps)
        current = ""
        for step in steps:
            if current and step.block != current:
                self._finish(current)
            current = step.block
            self._fit(step)

    def _steps(self) -> list[Step]:
        """Return what is fitted, in the order of the network."""
        layout, kinds = self._original.layout, self._original.kinds
        norms = set(norms_of(self._network, self._original))
        linear = {
            name: kinds[pattern]
            for name, module in self._modules.items()
            if isinstance(weight := getattr(module, "weight", None), nn.Parameter)
            and weight.dim() == 2
            and (isinstance(module, nn.Linear) or _is_transposed(module))
            and (pattern := layout.pattern_of(f"{name}.weight")) is not None
        }
        batch = self._checkpoint.batches[0]
        with watched(self._network, {*linear, *norms}) as calls:
            self._checkpoint.forward(self._network, batch)
        counts = [call.name for call in calls]
        once = [call for call in calls if counts.count(call.name) == 1]
        steps: list[Step] = []
        seen: set[str] = set()
        for place, call in enumerate(once):
            if call.name in seen:
                continue
            if call.name in norms:
                steps.append(Step((), call.name, self._block(call.name)))
                continue
            together = [
                other.name for other in once[place:] if other.input is call.input and other.name in linear
            ]
            norm = ""
            if len(linear[call.name]) == 1 and linear[call.name][0] in ENDS:
                width = call.output.shape
                following = (one for one in once[place:] if one.name in norms and one.input.shape == width)
                norm = next((one.name for one in following), "")
                together = [call.name]
            seen.update(together, {norm})
            steps.append(Step(tuple(together), norm, self._block(call.name)))
        return steps

    def _block(self, name: str) -> str:
        return next((block for block in self._blocks if name.startswith(f"{block}.")), "")

    def _block_ends(self, steps: Sequence[Step]) -> set[str]:
        """Return the last norm of each block whose features it ends, as where norms follow the addition."""
        last = {step.block: step for step in steps if step.block and step.norm}
        return {step.norm for block, step in last.items() if step.projections and step.norm.startswith(block)}

    def _teach(self, steps: Sequence[Step]) -> None:
        """Keep the inputs of norms and the outputs of all modules of the checkpoint, for the members that are kept."""
        names = {
            name: self._name_in_checkpoint(name)
            for step in steps
            for name in (*step.projections, step.norm)
            if name
        }
        network, forward = self._checkpoint.network, self._checkpoint.forward
        kept = {name: self._kept_outputs(name, own) for name, own in names.items()}
        found: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in names}
        for batch in self._checkpoint.batches:
            with watched(network, set(names.values())) as calls:
                forward(network, batch)
            by_name = {call.name: call for call in calls}
            for name, own in names.items():
                call, mask = by_name[own], _mask(batch)
                before = (
                    rows(call.input, mask)[:, kept[name]] if name in self._norms(steps) else torch.empty(0)
                )
                found[name].append((before, rows(call.output, mask)[:, kept[name]]))
        self._taught = {
            name: (torch.cat([one for one, _ in pairs]), torch.cat([other for _, other in pairs]))
            for name, pairs in found.items()
        }

    @staticmethod
    def _norms(steps: Sequence[Step]) -> set[str]:
        return {step.norm for step in steps}

    def _name_in_checkpoint(self, name: str) -> str:
        """Return the name of the module of the checkpoint that gives the outputs for a module.

        A norm at the end of a block gives those of the last block before the next one that is kept.
        """
        parameter = self._modules[name].weight
        placed = self._original.layout.place(f"{name}.weight", parameter.shape, self._sizes)
        for stack, (begin, end), index in reversed(placed.stacks):
            kept = self._choice.kept.get(Axis(stack))
            if kept is None:
                continue
            block = kept[index]
            if name in self._ends:
                total = self._checkpoint.original.sizes(self._checkpoint.original.config)[stack]
                block = (kept[index + 1] if index + 1 < len(kept) else total) - 1
            name = f"{name[:begin]}{block}{name[end:]}"
        return name

    def _kept_outputs(self, name: str, own: str) -> Tensor:
        """Return the places of the outputs of a module in the outputs of that of the checkpoint."""
        original = self._checkpoint.original
        weight = self._checkpoint.network.get_parameter(f"{own}.weight")
        placed = original.layout.place(f"{own}.weight", weight.shape, original.sizes(original.config))
        dimensions = list(factored(placed))
        factors, axes = dimensions[1 if _is_transposed(self._modules[name]) else 0]
        places = torch.arange(weight.shape[1 if _is_transposed(self._modules[name]) else 0]).reshape(factors)
        for dimension, axis in enumerate(axes):
            members = None if axis is None else self._choice.kept.get(axis)
            if members is not None:
                places = places.index_select(dimension, torch.tensor(members))
        return places.reshape(-1)

    def _run(self, names: set[str]) -> list[dict[str, Call]]:
        """Return the calls of some modules for each batch; blocks that are done are not computed again."""
        found = []
        for batch, done in zip(self._checkpoint.batches, self._done, strict=True):
            with replaced(self._network, done), watched(self._network, names, stop=True) as calls:
                self._checkpoint.forward(self._network, batch)
            found.append({call.name: call for call in calls})
        return found

    def _finish(self, block: str) -> None:
        """Keep the outputs of a block, so that it is not computed again."""
        outputs = [calls[block].whole for calls in self._run({block})]
        stack = block.rpartition(".")[0]
        for done, output in zip(self._done, outputs, strict=True):
            # The outputs of earlier blocks are not used any more; only their memory would be.
            done.update({name: output for name in done if name.rpartition(".")[0] == stack})
            done[block] = output

    def _fit(self, step: Step) -> None:
        names = {*step.projections, step.norm} - {""}
        calls = self._run(names)
        masks = [_mask(batch) for batch in self._checkpoint.batches]

        def joined(name: str, part: str) -> Tensor:
            tensors = (getattr(one[name], part) for one in calls)
            return torch.cat(
                [rows(tensor, mask) for tensor, mask in zip(tensors, masks, strict=True)]
            ).double()

        total = joined(step.norm, "input") if step.norm else None
        for name in step.projections:
            inputs = joined(name, "input")
            target = self._taught[name][1].double()
            if step.norm and total is not None:
                others = total - joined(name, "output")
                target = self._taught[step.norm][0].double() - others
            if len(inputs) < 2 * inputs.shape[1] or len(inputs) != len(target):
                continue
            outputs = fit_projection(self._modules[name], inputs, target)
            if step.norm:
                total = others + outputs
        if step.norm and total is not None:
            fit_norm(self._modules[step.norm], total, self._taught[step.norm][1].double())


def fit_projection(module: nn.Module, inputs: Tensor, target: Tensor, *, ridge: float = RIDGE) -> Tensor:
    """Set weight and bias of a projection so that its outputs are close to a target, and return these outputs.

    Minimises ``|X W + b - Y|^2 + r |W - W0|^2`` with r = `ridge` times the mean sum of squares of a column of X.

    Args:
        module: A linear module, or one that stores its weight as (inputs, outputs).
        inputs: X, (rows, inputs), in float64.
        target: Y, (rows, outputs), in float64.
        ridge: See above.
    """
    weight: Any = module.weight
    bias: Any = getattr(module, "bias", None)
    before = weight.double() if _is_transposed(module) else weight.double().T
    shift, level = inputs.new_zeros(inputs.shape[1]), target.new_zeros(target.shape[1])
    if bias is not None:
        shift, level = inputs.mean(0), target.mean(0)
    centred = inputs - shift
    gram = centred.T @ centred
    gram.diagonal().add_(ridge * float(gram.diagonal().mean()) + 1e-12)
    rest = target - level - centred @ before
    after = before + torch.linalg.solve(gram, centred.T @ rest)
    if not after.isfinite().all():
        kept: Tensor = inputs @ before + (0 if bias is None else bias.double())
        return kept
    weight.copy_(after if _is_transposed(module) else after.T)
    if bias is not None:
        bias.copy_(level - shift @ after)
    fitted: Tensor = inputs @ after + (0 if bias is None else level - shift @ after)
    return fitted


def fit_norm(module: nn.Module, inputs: Tensor, target: Tensor) -> None:
    """Set weight and bias of a norm so that its outputs are close to a target, feature by feature.

    Args:
        module: A norm with a weight for each feature, and perhaps a bias.
        inputs: Its inputs, (rows, features), in float64.
        target: Its wanted outputs, (rows, features), in float64.
    """
    assert is_norm(module)
    bare: Any = copy.deepcopy(module).double()
    bare.weight.fill_(1)
    bias: Any = getattr(module, "bias", None)
    if bias is not None:
        bare.bias.zero_()
    normed = bare(inputs)
    level = target.mean(0) if bias is not None else torch.zeros_like(target[0])
    shift = normed.mean(0) if bias is not None else torch.zeros_like(normed[0])
    centred = normed - shift
    weight: Any = module.weight
    before = weight.double()
    power = centred.square().sum(0)
    step = RIDGE * power.mean()
    after = ((centred * (target - level)).sum(0) + step * before) / (power + step).clamp(min=1e-12)
    weight.copy_(after)
    if bias is not None:
        bias.copy_(level - shift * after)


def _mask(batch: Batch) -> Tensor | None:
    mask = batch.masks.get("features")
    return None if mask is None else mask.bool()


def _is_transposed(module: nn.Module) -> bool:
    """Return whether a module of transformers stores its weight as (inputs, outputs)."""
    return type(module).__name__ == "Conv1D"
