"""Axes of charts: coordinates of values, and round numbers as ticks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

SMALL, LARGE = 1e-290, 1e290
LOGARITHMIC = 1e-270, 1e270
"""Values of a logarithmic axis. They are limited so that the room at its ends does not exceed the range of a float."""


@dataclasses.dataclass(frozen=True, slots=True)
class Axis:
    """A scale from values to coordinates.

    Attributes:
        low: Value at `start`.
        high: Value at `end`.
        start: Coordinate of `low`.
        end: Coordinate of `high`.
        log: Whether the axis is logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float, *, log: bool = False) -> Axis:
        """Return an axis that contains `values`, with a little room at both ends."""
        low, high = min(values), max(values)
        if low == high:
            pad = abs(low) * 0.1 or 1.0
            return cls(low - pad, high + pad, start, end)
        # Neighbouring floats may have equal logarithms; a linear axis is then used.
        if log and LOGARITHMIC[0] < low and high < LOGARITHMIC[1] and math.log(low) < math.log(high):
            room = math.exp(0.05 * (math.log(high) - math.log(low)))
            return cls(low / room, high * room, start, end, log=True)
        room = high * 0.05 - low * 0.05
        return cls(low - room, high + room, start, end)

    def __call__(self, value: float) -> float:
        """Return the coordinate of `value`, rounded to a tenth."""
        place = math.log if self.log else self._scaled
        share = (place(value) - place(self.low)) / (place(self.high) - place(self.low))
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, most: int = 5) -> list[float]:
        """Return round values within the axis."""
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.floor(math.log10(self.high))
            for digits in ((1, 2, 5), (1, 3), (1,)):
                found = [d * 10.0**k for k in range(first, last + 1) for d in digits]
                found = [value for value in found if self.low <= value <= self.high]
                if 2 <= len(found) <= most + 1:
                    return found
        low, high = self._scaled(self.low), self._scaled(self.high)
        raw = (high - low) / most
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= raw * 0.999)
        return [
            # Adding zero makes a negative zero positive.
            float(f"{i * step / self._scaled(1.0):.10g}") + 0.0
            for i in range(math.ceil(low / step), math.floor(high / step) + 1)
        ]

    def _scaled(self, value: float) -> float:
        # The factor keeps the length of the axis and of its steps within the range of a float.
        largest = max(abs(self.low), abs(self.high))
        return value * (1e-10 if largest > LARGE else 1e300 if largest < SMALL else 1.0)
