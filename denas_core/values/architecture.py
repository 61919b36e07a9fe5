"""Knobs and architectures: the choices of a search as plain values."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping

from .record import Record

KnobValue = int | float | str | bool

MOST_SHOWN = 16
"""An error lists all values of a knob up to this number."""


@dataclasses.dataclass(frozen=True, slots=True)
class Knob:
    """One named choice of a search space.

    Attributes:
        name: Unique within the space, e.g. ``block2.kernel``.
        values: The choices, distinct, ordered from the one that makes the smallest network to the largest.
        layer: The layer the knob belongs to; None for a choice about the whole network, such as the depth. Mutation
            redraws the two kinds with different probabilities.
        when: ``(parent, values)``: the knob is active only while the parent knob is active and has one of the values.
    """

    name: str
    values: tuple[KnobValue, ...]
    layer: int | None = None
    when: tuple[str, tuple[KnobValue, ...]] | None = None

    def is_active(self, values: Mapping[str, KnobValue]) -> bool:
        """Return whether the knob is in use, given `values`, which holds active knobs only."""
        return self.when is None or (self.when[0] in values and values[self.when[0]] in self.when[1])

    def choice(self, value: object) -> KnobValue | None:
        """Return the knob's own value that equals `value`, or None.

        The knob's own value is returned because 8.0 equals 8 but is written in another way, which would change the key
        of the architecture. True does not count as equal to 1: a width of True is a mistake.
        """
        same = (c for c in self.values if value == c and isinstance(value, bool) == isinstance(c, bool))
        return next(same, None)

    def describe_values(self) -> str:
        """Return the values as text for people; of a long list, only the first and last values."""
        shown = [repr(value) for value in self.values]
        return ", ".join(shown if len(shown) <= MOST_SHOWN else [*shown[:3], "...", *shown[-3:]])


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Architecture:
    """One member of a search space. `SearchSpace.architecture` makes it, and two are equal if their keys are.

    Attributes:
        space: Id of the space, e.g. ``cv/cnn``.
        values: Canonical values by knob name, in the order of the knobs; read-only.
        key: Hash of space, fingerprint and values; equal for equal networks on any machine.
    """

    space: str
    values: Mapping[str, KnobValue]
    key: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", sys.intern(self.space))
        object.__setattr__(self, "values", Record(self.values))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __reduce__(self) -> tuple[type[Architecture], tuple[str, dict[str, KnobValue], str]]:
        return Architecture, (self.space, dict(self.values), self.key)

    def __getitem__(self, knob: str) -> KnobValue:
        return self.values[knob]

    def as_dict(self) -> dict[str, KnobValue]:
        """Return the values as a new dict. ``--arch`` reads it when it is written as YAML or JSON."""
        return dict(self.values)
