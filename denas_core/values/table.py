"""The table of raw values from which a combined score computes one value for each row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    pass


Direction = Literal["maximize", "minimize"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The raw values of the components that have a positive weight: one column for each component.

    Attributes:
        columns: Values by component, one for each row; None if a value is missing, such as an unstable latency.
        weights: Positive weight by component.
        directions: Direction by component.
    """

    columns: Mapping[str, Sequence[float | None]]
    weights: Mapping[str, float]
    directions: Mapping[str, Direction]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))
