"""Whether the knobs of a search space do anything: one that does not makes a search try the same network again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from denas_core.testing.check import require
from denas_core.testing.samples.built import (
    batch_of,
    forward,
    loaded,
    networks,
    output_tensors,
    structure,
    tensors_of,
)
from denas_core.text import safe_repr

if TYPE_CHECKING:
    from torch import nn

    from denas_core.contracts.space import SearchSpace
    from denas_core.values.architecture import Architecture, Knob


def knobs_change_the_network(space: SearchSpace) -> None:
    """Every knob that counts in a network changes it: its structure, its costs or its outputs."""
    for arch in networks(space):
        model = structure(space, arch)
        for knob in space.knobs():
            others = _with_other_values(space, arch, knob) if knob.name in arch.values else []
            require(
                not others or any(_differ(space, arch, model, other) for other in others),
                f"knob {knob.name!r} counts in {safe_repr(arch.as_dict())}, and none of its values changes that "
                "network; use it in build(), or say where it counts with when=(parent, values)",
            )


def _with_other_values(space: SearchSpace, arch: Architecture, knob: Knob) -> list[Architecture]:
    """Return what `arch` becomes with the other values of a knob, without those that canonical() takes back."""
    inactive = {other.name: other.values[0] for other in space.knobs()}
    found = [
        space.unchecked(space.canonical({**inactive, **arch.values, knob.name: value}))
        for value in knob.values
        if value != arch.values[knob.name]
    ]
    return [other for other in found if other.key != arch.key]


def _differ(space: SearchSpace, arch: Architecture, model: nn.Module, other: Architecture) -> bool:
    # Cheapest first: nearly every knob is seen in the structure.
    return (
        _described(model) != _described(structure(space, other))
        or dict(space.cost(arch)) != dict(space.cost(other))
        or _outputs(space, arch) != _outputs(space, other)
    )


def _described(model: nn.Module) -> tuple[str, list[tuple[str, tuple[int, ...]]]]:
    return repr(model), [(name, tuple(tensor.shape)) for name, tensor in tensors_of(model).items()]


def _outputs(space: SearchSpace, arch: Architecture) -> dict[str, bytes]:
    outputs = output_tensors(forward(space, loaded(space, arch), batch_of(space)))
    return {name: tensor.contiguous().numpy().tobytes() for name, tensor in outputs.items()}
