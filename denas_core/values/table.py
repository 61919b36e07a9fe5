"""The table of raw values that a combined score turns into one value a row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    pass


Direction = Literal["maximize", "minimize"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is combined: a column of raw values for each component of positive weight.

    Attributes:
        columns: Values by component, one a row; None where a row has none, such as an unstable latency.
        weights: Positive weight by component.
        directions: Direction by component.
    """

    columns: Mapping[str, Sequence[float | None]]
    weights: Mapping[str, float]
    directions: Mapping[str, Direction]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))
