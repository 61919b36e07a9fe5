"""The network, weights and batch of a pass. Each is drawn from a seed of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import TYPE_CHECKING

from denas_core.errors import ScoreFailed
from denas_core.networks.initialise import GAINS
from denas_core.passes.inputs import standard_normal
from denas_core.seeding import derive_seed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.values.architecture import Architecture
    from denas_core.values.batch import Batch
    from denas_core.values.passes import PassSpec

    from .space import SearchSpace


def load_network(space: SearchSpace, arch: Architecture, spec: PassSpec, *, seed: int) -> nn.Module:
    """Build the structure that `spec` runs and give it its initial weights, on the CPU, in eval mode.

    The seed depends only on the run, the architecture and the fields of `spec` that decide weights. Passes that differ
    in inputs, precision or read-out therefore see the same weights.
    """
    import torch

    seed = derive_seed(seed, "init", arch.key, spec.weights, spec.variant, spec.repeat)
    with torch.device("meta"):
        network = space.build(arch, variant=spec.variant)
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


def batch_of(space: SearchSpace, spec: PassSpec, *, seed: int, device: str) -> Batch:
    """Return the inputs of `spec`. They are the same for every candidate of a run.

    Raises:
        ScoreFailed: `spec` adds noise, but the space has no continuous input to add it to.
    """
    # The first batch has the seed that it had before there were others.
    names = (spec.repeat, spec.batch) if spec.batch else (spec.repeat,)
    batch = space.batch(spec.size, seed=derive_seed(seed, "batch", spec.inputs, *names), kind=spec.inputs).to(
        device=device
    )
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
