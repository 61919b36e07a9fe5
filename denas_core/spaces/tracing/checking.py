"""Which groups and blocks of a network can be cut: smaller networks are made and run."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from .cutting import Cut, Number, cut, numbers_of
from .groups import LEAST, Group, Stack, find_groups, find_stacks, importance
from .running import run_traced
from .trace import named_tensors
from .units import KnownUnits, Units

if TYPE_CHECKING:
    from torch import nn


@dataclasses.dataclass
class Shrinkable:
    """What can be cut of a network.

    Attributes:
        units_of: The units of each dimension of each weight.
        locked: The units that must stay.
        head: Name of the linear layer that makes the output of the network; empty if there is none.
        unknown: Names of operations for which there is no rule; what they use stays whole.
        trains: Whether smaller networks must run in training mode, too, because they have weights for it alone.
        groups: The groups of units.
        stacks: The blocks that can be left out.
        numbers: By name of a group, the numbers of its modules that follow a cut, such as ``num_heads``.
        order: For each group, its units from the one with the largest weights to the one with the smallest.
        refused: Names of groups that were found, but of which no smaller network runs.
    """

    units_of: dict[str, list[Tensor]]
    locked: frozenset[int]
    head: str = ""
    unknown: tuple[str, ...] = ()
    trains: bool = False
    groups: list[Group] = dataclasses.field(default_factory=list)
    stacks: list[Stack] = dataclasses.field(default_factory=list)
    numbers: dict[str, Sequence[Number]] = dataclasses.field(default_factory=dict)
    order: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    refused: list[str] = dataclasses.field(default_factory=list)

    def cut_to(self, kept: Mapping[str, int], dropped: Sequence[str]) -> Cut:
        """Return the cut that keeps so many units of each named group, and drops the named blocks."""
        removed: set[int] = set()
        for name, count in kept.items():
            removed |= set(self.order[name][count:])
        return Cut(frozenset(removed), tuple(dropped), kept, self.numbers)


def find_shrinkable(model: nn.Module, call: Callable[[nn.Module], Any], inputs: Any) -> Shrinkable:
    """Trace `model`, and return the groups and blocks of which smaller networks were made and run.

    Raises:
        ConfigError: the network decides by values of its inputs.
    """
    trace = run_traced(model, call, inputs, Units())
    trains = False
    if any(tensor.dim() and name not in trace.used for name, tensor in model.named_parameters()):
        # Some networks have classifiers beside the main one that are used in training only.
        with contextlib.suppress(Exception):
            trace = run_traced(model, call, inputs, Units(), twin=copy.deepcopy(model))
            trains = True
    weights = dict(named_tensors(model))
    units_of = trace.found_units()
    every = {unit for dims in units_of.values() for units in dims for unit in units.tolist()}
    found = Shrinkable(
        units_of,
        frozenset(unit for unit in every if trace.units.is_locked(unit)),
        _head(model, units_of, trace.outputs),
        tuple(sorted(trace.unknown)),
        trains,
    )
    groups = find_groups(found.units_of, found.locked, weights)
    sizes = importance(found.units_of, groups, weights)
    for group in groups:
        # Of equal units, the first ones stay.
        found.order[group.name] = sorted(group.units, key=lambda unit: -sizes.get(unit, 0.0))

    def runs(groups: Sequence[Group], dropped: Sequence[str] = ()) -> bool:
        return all(
            _runs(model, call, inputs, found, groups, found.cut_to(kept, dropped))
            for kept in _samples(groups)
        )

    for stack in find_stacks(trace, weights):
        blocks = [block for block in stack.blocks if _runs_without(model, call, inputs, found, [block])]
        if blocks and _runs_without(model, call, inputs, found, blocks):
            found.stacks.append(Stack(stack.name, tuple(blocks)))
    dropped = [block for stack in found.stacks for block in stack.blocks]
    candidates = {group.name: numbers_of(model, group) for group in groups}
    found.groups = _usable(groups, runs, found.numbers, candidates)
    outside = [group for group in found.groups if not _is_within(group, dropped)]
    if found.stacks and not runs(outside, dropped):
        found.stacks = []
    used = {group.name for group in found.groups}
    found.refused = [group.name for group in groups if group.name not in used]
    return found


def _usable(
    groups: Sequence[Group],
    runs: Callable[[Sequence[Group]], bool],
    numbers: dict[str, Sequence[Number]],
    candidates: Mapping[str, list[Number]],
) -> list[Group]:
    """Return the groups that can be cut together, and put into `numbers` what has to follow."""
    if not groups or runs(groups):
        return list(groups)
    if len(groups) == 1:
        (group,) = groups
        ways = _ways(candidates[group.name])
        if numbers.pop(group.name, None) is not None:
            ways = [[], *ways]
        for way in ways:
            numbers[group.name] = way
            if runs(groups):
                _expect(way, numbers, candidates)
                return [group]
        numbers.pop(group.name, None)
        return []
    half = len(groups) // 2
    first = _usable(groups[:half], runs, numbers, candidates)
    second = _usable(groups[half:], runs, numbers, candidates)
    both = [*first, *second]
    if not first or not second or runs(both):
        return both
    for group in second:
        if runs([*first, group]):
            first = [*first, group]
    return first


def _expect(
    way: list[Number], numbers: dict[str, Sequence[Number]], candidates: Mapping[str, list[Number]]
) -> None:
    """Let the same attributes of other layers follow, because networks repeat their layers. It is tried there, too."""
    attributes = {attribute for _, attribute in way}
    for name, own in candidates.items():
        same = [number for number in own if number[1] in attributes]
        if name not in numbers and {attribute for _, attribute in same} == attributes:
            numbers[name] = same


def _ways(numbers: list[Number]) -> list[list[Number]]:
    """Return which of the numbers may have to follow a cut: each alone, each pair, or all."""
    if not numbers:
        return []
    pairs = [list(pair) for pair in itertools.combinations(numbers, 2)]
    return [*([number] for number in numbers), *pairs, *([numbers] if len(numbers) > 2 else [])]


def _samples(groups: Sequence[Group]) -> list[dict[str, int]]:
    """Return two cuts: all groups to half of their units, and every second group to a quarter."""
    half = {group.name: max(LEAST, len(group.units) // 2) for group in groups}
    if len(groups) < 2:
        return [half]
    return [half, {group.name: max(LEAST, len(group.units) // 4) for group in groups[::2]}]


def _runs_without(
    model: nn.Module, call: Callable[[nn.Module], Any], inputs: Any, found: Shrinkable, blocks: Sequence[str]
) -> bool:
    return _runs(model, call, inputs, found, [], found.cut_to({}, blocks))


def _runs(
    model: nn.Module,
    call: Callable[[nn.Module], Any],
    inputs: Any,
    found: Shrinkable,
    groups: Sequence[Group],
    chosen: Cut,
) -> bool:
    smaller = copy.deepcopy(model)
    members: dict[str, list[Tensor]] = cut(smaller, found.units_of, groups, chosen)
    try:
        twin = copy.deepcopy(smaller) if found.trains else None
        run_traced(smaller, call, inputs, KnownUnits(found.locked), members, twin=twin)
    except Exception:
        # Whatever a network raises of which something was removed: this cannot be removed.
        return False
    return True


def _head(model: nn.Module, units_of: Mapping[str, list[Tensor]], outputs: set[int]) -> str:
    from torch import nn

    made = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and set(units_of[f"{name}.weight"][0].tolist()) == outputs
        if name
    ]
    return made[-1] if made else ""


def _is_within(group: Group, blocks: Sequence[str]) -> bool:
    return all(any(name.startswith(f"{block}.") for block in blocks) for name, _ in group.members)
