"""Short names of metrics and the units in which users write their bounds."""

from __future__ import annotations

from collections.abc import Mapping

SHORT_NAMES: Mapping[str, str] = {"latency": "latency_ms", "size": "size_mb", "memory": "memory_mb"}
"""Metric by short name."""

_COUNTS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12}
_MILLISECONDS = {"": 1.0, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}
_MEGABYTES = {"": 1.0, "kb": 1e-3, "mb": 1.0, "gb": 1e3}
_UNITS_BY_ENDING = {"_ms": _MILLISECONDS, "_mb": _MEGABYTES}
_WITHOUT_UNIT = {"": 1.0}

UNITS = frozenset({*_COUNTS, *_MILLISECONDS, *_MEGABYTES})
"""Every unit and suffix, in lower case."""


def units_of(metric: str, *, is_count: bool) -> Mapping[str, float]:
    """Return the factor of each unit in which bounds of a metric may be written, in lower case.

    The unit of a metric is the end of its name: ``latency_ms`` is in milliseconds, ``size_mb`` in millions of bytes.

    Args:
        metric: Name of the metric.
        is_count: Whether a metric without a unit is a count, which takes suffixes such as ``M``.
    """
    for ending, units in _UNITS_BY_ENDING.items():
        if metric.endswith(ending):
            return units
    return _COUNTS if is_count else _WITHOUT_UNIT
