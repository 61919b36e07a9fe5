"""Networks with fewer units and blocks, as copies of the whole one whose layers are smaller."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .groups import Group

if TYPE_CHECKING:
    from torch import nn

Members = dict[str, list[Tensor]]


@dataclasses.dataclass(frozen=True, slots=True)
class Cut:
    """What is left out of a network.

    Attributes:
        removed: The units.
        blocks: Names of the blocks, which become identities.
        kept: The number of units that stay, by group.
        numbers: By name of the group, the numbers of its modules that follow the cut, such as ``num_heads``.
    """

    removed: frozenset[int]
    blocks: tuple[str, ...]
    kept: Mapping[str, int]
    numbers: Mapping[str, Sequence[Number]]


Number = tuple[str, str]
"""A whole number that a module of the user's own holds: the name of the module, and that of the attribute."""


def cut(
    model: nn.Module, units_of: Mapping[str, list[Tensor]], groups: Collection[Group], chosen: Cut
) -> Members:
    """Make `model` smaller in place, and return the units of each dimension of its remaining weights.

    Args:
        model: A copy of the network that was traced, on any device.
        units_of: The units of each dimension of each weight of the network.
        groups: The groups of which units are removed.
        chosen: What is left out.
    """
    from torch import nn

    _adapt_numbers(model, groups, chosen)
    for name in chosen.blocks:
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, nn.Identity())
    left: Members = {}
    changed: set[str] = set()
    done: dict[int, Tensor] = {}
    for owner, module in model.named_modules():
        for own, tensor in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)):
            name = f"{owner}.{own}" if owner else own
            if id(tensor) in done:
                # Weights that two modules share stay shared.
                setattr(module, own, done[id(tensor)])
                continue
            if name not in units_of:
                continue
            kept = [_kept(members, chosen.removed) for members in units_of[name]]
            left[name] = [
                members if index is None else members[index]
                for members, index in zip(units_of[name], kept, strict=True)
            ]
            if all(index is None for index in kept):
                continue
            smaller = tensor.detach()
            for dim, index in enumerate(kept):
                if index is not None:
                    smaller = smaller.index_select(dim, index.to(smaller.device))
            if isinstance(tensor, nn.Parameter):
                smaller = nn.Parameter(smaller, requires_grad=tensor.requires_grad)
            changed.add(owner)
            done[id(tensor)] = smaller
            setattr(module, own, smaller)
    for owner in changed:
        _adapt_layer(model.get_submodule(owner))
    return left


def _kept(units: Tensor, removed: frozenset[int]) -> Tensor | None:
    if not removed:
        return None
    stay = [place for place, unit in enumerate(units.tolist()) if unit not in removed]
    return None if len(stay) == len(units) else torch.tensor(stay, dtype=torch.long)


def _adapt_layer(module: nn.Module) -> None:
    """Set the sizes that a layer of torch holds to those of its weights."""
    from torch import nn
    from torch.nn.modules.batchnorm import _NormBase
    from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

    if isinstance(module, nn.Linear):
        module.out_features, module.in_features = module.weight.shape
    elif isinstance(module, _ConvTransposeNd):
        module.in_channels, module.out_channels = (
            module.weight.shape[0],
            module.weight.shape[1] * module.groups,
        )
    elif isinstance(module, _ConvNd):
        made, read = module.weight.shape[:2]
        module.groups = module.groups * made // module.out_channels if module.groups > 1 else 1
        module.out_channels, module.in_channels = made, read * module.groups
    elif isinstance(module, _NormBase):
        known = module.weight if module.weight is not None else module.running_mean
        module.num_features = module.num_features if known is None else len(known)
    elif isinstance(module, nn.GroupNorm):
        before, module.num_channels = module.num_channels, len(module.weight)
        if module.num_groups > 1:
            module.num_groups = module.num_groups * module.num_channels // before
    elif isinstance(module, nn.LayerNorm | nn.RMSNorm):
        module.normalized_shape = tuple(module.weight.shape)
    elif isinstance(module, nn.Embedding):
        module.embedding_dim = module.weight.shape[1]
    elif isinstance(module, nn.RNNBase):
        into, within = module.weight_ih_l0, module.weight_hh_l0
        if isinstance(into, Tensor) and isinstance(within, Tensor):
            module.input_size, module.hidden_size = into.shape[1], within.shape[1]
    elif isinstance(module, nn.PReLU):
        module.num_parameters = len(module.weight)


def numbers_of(model: nn.Module, group: Group) -> list[Number]:
    """Return the numbers beside a group's layers that may say how many units it has, such as ``num_heads``."""
    sizes = {len(group.units) * count for count in group.members.values()} | {len(group.units)}
    owners = {name.rpartition(".")[0] for name, _ in group.members}
    found = []
    for name in sorted({owner.rpartition(".")[0] for owner in owners} | owners):
        module = model.get_submodule(name)
        if not type(module).__module__.startswith("torch.nn.modules"):
            found += [
                (name, attribute)
                for attribute, value in vars(module).items()
                if type(value) is int and value in sizes and not attribute.startswith("_")
            ]
    return found


def _adapt_numbers(model: nn.Module, groups: Collection[Group], chosen: Cut) -> None:
    for group in groups:
        before, after = len(group.units), chosen.kept.get(group.name, len(group.units))
        for name, attribute in chosen.numbers.get(group.name, ()):
            module = model.get_submodule(name)
            setattr(module, attribute, getattr(module, attribute) // before * after)
