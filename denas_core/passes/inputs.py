"""What a pass runs: the network, its weights and its batch, each drawn from a seed of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from denas_core.errors import ScoreFailed
from denas_core.networks.initialise import GAINS
from denas_core.seeding import derive_seed
from denas_core.values.batch import expand_mask

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.contracts.candidate import Candidate
    from denas_core.values.batch import Batch, Outputs
    from denas_core.values.passes import PassSpec


POSITIONS_AT_ONCE = 512
"""Positions of a part of a batch: its activations stay small, and products of matrices are as fast as with more."""


def load_network(candidate: Candidate, spec: PassSpec) -> nn.Module:
    """Build the structure that `spec` runs and give it its initial weights, on the CPU, in eval mode.

    The seed depends on the run, the architecture and the fields that decide weights, and on no other field: passes that
    differ in inputs, precision or read-out see the same weights.
    """
    import torch

    space, arch = candidate.space, candidate.arch
    seed = derive_seed(candidate.seed, "init", arch.key, spec.weights, spec.variant, spec.repeat)
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


def weights_of(candidate: Candidate, spec: PassSpec) -> dict[str, Tensor]:
    """Return the parameters and buffers of `spec` by name, on the candidate's device; none needs a gradient."""
    network = candidate.network(spec)
    tensors: dict[str, Tensor] = {}
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        placed = _placed(tensor.detach(), candidate, spec)
        if spec.magnitude and placed.is_floating_point():
            # In place where it is a copy already: these are all the weights of a network.
            is_copy = placed.data_ptr() != tensor.data_ptr()
            placed = placed.abs_() if is_copy else placed.abs()
        tensors[name] = placed
    return tensors


def batch_of(candidate: Candidate, spec: PassSpec) -> Batch:
    """Return the inputs of `spec`: the same for every candidate of a run.

    Raises:
        ScoreFailed: noise is asked for, and the space has no continuous input to add it to.
    """
    batch = candidate.space.batch(
        spec.size, seed=derive_seed(candidate.seed, "batch", spec.inputs, spec.repeat), kind=spec.inputs
    ).to(device=candidate.device)
    inputs = {name: _placed(tensor, candidate, spec) for name, tensor in batch.inputs.items()}
    if spec.perturbation and not batch.perturbable:
        raise ScoreFailed(f"space {candidate.space.id!r} has no continuous input to perturb")
    for name in batch.perturbable if spec.perturbation else ():
        noise = _normal(
            tuple(inputs[name].shape),
            seed=derive_seed(candidate.seed, "perturbation", spec.inputs, name, spec.repeat),
        )
        inputs[name] = inputs[name] + spec.perturbation * noise.to(inputs[name])
    return dataclasses.replace(batch, inputs=inputs)


def parts_of(batch: Batch, size: int) -> list[Batch]:
    """Return a batch of `size` samples as several of about `POSITIONS_AT_ONCE`; whole if it counts no positions."""
    step = samples_of_a_part(batch.positions, size)
    if step == size:
        return [batch]

    def part(tensors: Mapping[str, Tensor], start: int) -> dict[str, Tensor]:
        return {name: tensor[start : start + step] for name, tensor in tensors.items()}

    return [
        dataclasses.replace(
            batch,
            inputs=part(batch.inputs, start),
            masks=part(batch.masks, start),
            lengths=part(batch.lengths, start),
        )
        for start in range(0, size, step)
    ]


def samples_of_a_part(positions: int, size: int) -> int:
    """Return how many samples of so many positions are run at once of a batch of `size`; all, if there are none."""
    return min(size, max(1, POSITIONS_AT_ONCE // positions)) if positions else size


def readout_of(candidate: Candidate, spec: PassSpec, outputs: Outputs) -> Tensor:
    """Return the read-out of each sample; its sum is the scalar that a pass differentiates.

    The cotangent is one tensor for all samples and repeats, and for all candidates with outputs of its shape.
    """
    import torch

    parts = []
    for name, logits in outputs.logits.items():
        if spec.readout == "cotangent":
            cotangent = _normal(
                tuple(logits.shape[1:]), seed=derive_seed(candidate.seed, "cotangent", name), double=True
            )
            logits = logits * cotangent.to(logits)
        if name in outputs.masks:
            logits = logits * expand_mask(outputs.masks[name], logits)
        parts.append(logits.flatten(1).sum(1))
    return torch.stack(parts).sum(0)


def _placed(tensor: Tensor, candidate: Candidate, spec: PassSpec) -> Tensor:
    import torch

    if not tensor.is_floating_point():
        return tensor.to(candidate.device)
    if spec.dtype == "float64":
        return tensor.to(device=candidate.device, dtype=torch.float64)
    # Convolutions on a CPU take two thirds of the time where channels lie next to each other.
    layout = torch.channels_last if tensor.dim() == 4 else torch.preserve_format
    return tensor.to(device=candidate.device, dtype=torch.float32, memory_format=layout)


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


def _normal(shape: tuple[int, ...], *, seed: int, double: bool = False) -> Tensor:
    # On the CPU, so that every device sees the same numbers.
    import torch

    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64 if double else torch.float32)
