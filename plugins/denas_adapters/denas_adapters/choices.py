"""The knobs of the space, and the adapters that their values mean."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping, Sequence

from denas_core import Knob, KnobValue

from .projections import Projection, chosen_projections

LARGEST_RANK = 4096

_NUMBER = re.compile(r"\d+")


@dataclasses.dataclass(frozen=True, eq=False)
class Choices:
    """What can be chosen.

    Attributes:
        knobs: The knobs; the value of each is the size of its adapters.
        projections: For each knob by name, the projections whose adapters it determines.
    """

    knobs: tuple[Knob, ...]
    projections: Mapping[str, tuple[Projection, ...]]

    @classmethod
    def of(
        cls,
        found: Sequence[Projection],
        *,
        names: Sequence[str],
        sizes: Sequence[int],
        per: str,
        together: int,
    ) -> Choices:
        """Return the choices of a checkpoint.

        Args:
            found: All its projections.
            names: Names of those that can have an adapter; all if empty.
            sizes: The choices of the size of an adapter.
            per: ``block`` if the projections of a block have the same size, ``projection`` if each has its own.
            together: Number of consecutive layers that have the same sizes.

        Raises:
            ValueError: a projection does not exist, or the sizes are out of order or range.
        """
        _check_sizes(sizes)
        groups: dict[str, list[Projection]] = {}
        numbers: dict[str, int] = {}
        chosen = chosen_projections(found, names)
        last = max(projection.layer for projection in found)
        for projection in chosen:
            number = (projection.layer - 1) // together
            first, end = number * together + 1, min((number + 1) * together, last)
            layers = f"layer{first}" if first == end else f"layers{first}to{end}"
            name = f"{layers}.{projection.block if per == 'block' else projection.name}"
            groups.setdefault(name, []).append(projection)
            numbers[name] = number + 1
        knobs = tuple(Knob(name, tuple(sizes), numbers[name]) for name in groups)
        return cls(knobs, {name: tuple(group) for name, group in groups.items()})

    def adapters(self, values: Mapping[str, KnobValue]) -> dict[Projection, int]:
        """Return the projections that have an adapter, with its size, for values of the knobs."""
        return {
            projection: int(values[name])
            for name, group in self.projections.items()
            for projection in group
            if values[name]
        }

    def place_of(self, projection: Projection) -> tuple[str, bool]:
        """Return what adapters of equal cost have in common: the projection in a layer, and whether that is the first.

        While a layer that is not the first runs, a network may need more memory.
        """
        name = _NUMBER.sub("*", projection.module)
        return name, self._firsts[name] == projection.layer

    @functools.cached_property
    def _firsts(self) -> dict[str, int]:
        """The first layer with each projection."""
        firsts: dict[str, int] = {}
        for group in self.projections.values():
            for projection in group:
                name = _NUMBER.sub("*", projection.module)
                firsts[name] = min(projection.layer, firsts.get(name, projection.layer))
        return firsts


def _check_sizes(sizes: Sequence[int]) -> None:
    if len(sizes) < 2 or list(sizes) != sorted(set(sizes)) or sizes[0] < 0 or sizes[-1] > LARGEST_RANK:
        raise ValueError(
            f"ranks {list(sizes)!r} must be two or more different numbers from 0 to {LARGEST_RANK}, from small to large"
        )
