"""The network, weights and batch of a pass. Each is drawn from a seed of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from denas_core.errors import ScoreFailed
from denas_core.networks.initialise import GAINS
from denas_core.passes.inputs import standard_normal
from denas_core.seeding import derive_seed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.values.architecture import Architecture
    from denas_core.values.batch import Batch, Outputs
    from denas_core.values.passes import PassSpec

    from .scoring_data import ScoringData
    from .space import SearchSpace


def load_network(
    space: SearchSpace, arch: Architecture, spec: PassSpec, *, seed: int, data: ScoringData | None = None
) -> nn.Module:
    """Build the structure that `spec` runs and give it its initial weights, on the CPU, in eval mode.

    The seed depends only on the run, the architecture and the fields of `spec` that decide weights. Passes that differ
    in inputs, precision or read-out therefore see the same weights. With `data`, the network has the head of its task.
    """
    import torch

    seed = derive_seed(seed, "init", arch.key, spec.weights, spec.variant, spec.repeat)
    if data is None:
        with torch.device("meta"):
            network = space.build(arch, variant=spec.variant)
    else:
        network = data.build(arch, variant=spec.variant)
    network = space.load(
        network, arch, seed=seed, weights="inherited" if spec.weights == "inherited" else "fresh"
    )
    if spec.weights == "normal":
        views = space.views(network) if spec.drawn else []
        drawn = {view.parameter for view in views if any(map(view.has_role, spec.drawn))}
        _draw_normal(network, drawn, gains="norm" in spec.drawn, every=not spec.drawn, seed=seed)
    return network.eval()


def weights_of(network: nn.Module, spec: PassSpec, *, device: str) -> dict[str, Tensor]:
    """Return parameters and buffers by name, on a device and as `spec` wants them. None of them requires a gradient."""
    tensors: dict[str, Tensor] = {}
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        placed = _placed(tensor.detach(), spec, device)
        if spec.magnitude and placed.is_floating_point():
            # A copy is changed in place, since a second copy of all weights would take much memory.
            is_copy = placed.data_ptr() != tensor.data_ptr()
            placed = placed.abs_() if is_copy else placed.abs()
        tensors[name] = placed
    return tensors


def batch_of(
    space: SearchSpace, spec: PassSpec, *, seed: int, device: str, data: ScoringData | None = None
) -> Batch:
    """Return the inputs of `spec`. They are the same for every candidate of a run. With `data`, they replace noise.

    Raises:
        ConfigError: the data hold fewer samples than the batch.
        ScoreFailed: `spec` adds noise, but the space has no continuous input to add it to.
    """
    drawn_from = _batch_seed(spec, seed)
    if data is not None and spec.inputs == "noise":
        batch, _ = data.draw(spec.size, seed=drawn_from)
    else:
        batch = space.batch(spec.size, seed=drawn_from, kind=spec.inputs)
    batch = batch.to(device=device)
    inputs = {name: _placed(tensor, spec, device) for name, tensor in batch.inputs.items()}
    if spec.perturbation and not batch.perturbable:
        raise ScoreFailed(f"space {space.id!r} has no continuous input to perturb")
    for name in batch.perturbable if spec.perturbation else ():
        noise = standard_normal(
            tuple(inputs[name].shape),
            seed=derive_seed(seed, "perturbation", spec.inputs, name, spec.repeat),
        )
        inputs[name] = inputs[name] + spec.perturbation * noise.to(inputs[name])
    return dataclasses.replace(batch, inputs=inputs)


def loss_of(data: ScoringData, spec: PassSpec, *, seed: int, device: str) -> Callable[[Outputs, int], Tensor]:
    """Return a function that gives the loss of each sample for the outputs of the batch of `spec`.

    Its second argument is the number of the first sample, if the batch runs in parts.
    """
    _, targets = data.draw(spec.size, seed=_batch_seed(spec, seed))
    placed = {name: target.to(device) for name, target in targets.items()}

    def losses(outputs: Outputs, first: int) -> Tensor:
        part = slice(first, first + len(outputs.features))
        return data.losses(outputs, {name: target[part] for name, target in placed.items()})

    return losses


def draw_batches(data: ScoringData, passes: Iterable[PassSpec], *, seed: int) -> None:
    """Draw the batches of `passes` now, so that `data` holds them when it goes to another process.

    Raises:
        ConfigError: the data cannot be read, or hold fewer samples than a batch.
    """
    for spec in passes:
        if spec.inputs == "noise":
            data.draw(spec.size, seed=_batch_seed(spec, seed))


def _batch_seed(spec: PassSpec, seed: int) -> int:
    # The first batch has the seed that it had before there were others.
    names = (spec.repeat, spec.batch) if spec.batch else (spec.repeat,)
    return derive_seed(seed, "batch", spec.inputs, *names)


def _placed(tensor: Tensor, spec: PassSpec, device: str) -> Tensor:
    import torch

    if not tensor.is_floating_point():
        return tensor.to(device)
    if spec.dtype == "float64":
        return tensor.to(device=device, dtype=torch.float64)
    # Convolutions on a CPU are a third faster if the channels of a position are neighbours in memory.
    layout = torch.channels_last if tensor.dim() == 4 else torch.preserve_format
    return tensor.to(device=device, dtype=torch.float32, memory_format=layout)


def _draw_normal(network: nn.Module, drawn: Collection[str], *, gains: bool, every: bool, seed: int) -> None:
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            last, is_matrix = name.rpartition(".")[2], parameter.dim() > 1
            if last.endswith("bias") and not is_matrix:
                parameter.zero_()
            elif name in drawn or (every if is_matrix else gains and last in GAINS):
                parameter.normal_(generator=generator)
