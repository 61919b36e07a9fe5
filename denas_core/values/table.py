"""The table of raw values from which a combined score computes one value for each row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

Direction = Literal["maximize", "minimize"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The raw values of the components that have a positive weight: one column for each component.

    Attributes:
        columns: Values by component, one for each row; None if a value is missing, such as an unstable latency.
        weights: Positive weight by component.
        directions: Direction by component.
        sample: Columns like `columns`, of the random networks of the run, against which the rows are ranked; None if
            the rows are ranked among each other.
    """

    columns: Mapping[str, Sequence[float | None]]
    weights: Mapping[str, float]
    directions: Mapping[str, Direction]
    sample: Mapping[str, Sequence[float | None]] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))
