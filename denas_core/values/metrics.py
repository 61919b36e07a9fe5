"""Metrics of an architecture, other than its score. The core, a space or a probe declares each metric once."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from denas_core.errors import ConfigError, PluginError, did_you_mean, safe_repr

from .table import Direction

PART = "params_"
"""Prefix of the metrics that count the parameters of one part of a network, see `SearchSpace.parts`."""

_NAME = re.compile(r"[a-z][a-z_0-9]{0,39}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ArchitectureMetric:
    """The declaration of a metric, for constraints, the Pareto front, tables and reports.

    Attributes:
        name: Name in constraints and objectives. It ends with the unit, such as ``energy_mj``.
        label: Name in reports, such as ``energy``; by default, `name`.
        unit: Unit that reports add to the label, such as ``mJ``; empty if the metric has none.
        direction: Whether smaller or larger values are better.
        is_measured: Whether its value is measured on the target and differs from run to run. Other metrics are counted
            before a candidate is scored.
    """

    name: str
    label: str = ""
    unit: str = ""
    direction: Direction = "minimize"
    is_measured: bool = False

    @property
    def title(self) -> str:
        """The label with the unit, such as ``energy (mJ)``."""
        return f"{self.label or self.name} ({self.unit})" if self.unit else self.label or self.name

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can represent them."""
        return dataclasses.asdict(self)


CORE = (
    ArchitectureMetric(name="params", label="parameters"),
    ArchitectureMetric(name="trainable_params", label="trainable parameters"),
    ArchitectureMetric(name="flops", label="FLOPs"),
    ArchitectureMetric(name="size_mb", label="size", unit="MB"),
    ArchitectureMetric(name="memory_mb", label="memory", unit="MB"),
    ArchitectureMetric(name="latency_ms", label="latency", unit="ms", is_measured=True),
)
"""The metrics that every space has."""

_DETAILS = frozenset({"trainable_params", "size_mb", "memory_mb"})
"""Metrics that are nearly proportional to others. Tables have no column for them."""


class Metrics:
    """The metrics of a search: those of the core, and those that its space and its probe declare.

    Attributes:
        declared: The metrics that the space and the probe declare.
        others: How any other name is treated: as an unknown metric, or as one that is counted or measured.
    """

    def __init__(
        self,
        declared: Iterable[ArchitectureMetric] = (),
        *,
        others: Literal["unknown", "counted", "measured"] = "unknown",
    ) -> None:
        self.declared = tuple(declared)
        self.others = others
        self._by_name = {metric.name: metric for metric in (*CORE, *self.declared)}

    def __iter__(self) -> Iterator[ArchitectureMetric]:
        return iter(self._by_name.values())

    def find(self, name: str) -> ArchitectureMetric | None:
        """Return the declaration of a metric, or None if it is unknown; ``params_<part>`` needs no declaration."""
        if name in self._by_name:
            return self._by_name[name]
        if name.startswith(PART):
            return ArchitectureMetric(name=name)
        if self.others == "unknown":
            return None
        return ArchitectureMetric(name=name, is_measured=self.others == "measured")

    def knows(self, name: str) -> bool:
        """Return whether a metric is declared, or counts the parameters of a part."""
        return name in self._by_name or name.startswith(PART)

    def check(self, name: str, *, origin: str, also: Iterable[str] = ()) -> ArchitectureMetric:
        """Return the declaration of a metric.

        Args:
            name: Name of the metric.
            origin: The source of the name, for the error.
            also: Other names that the error lists and suggests.

        Raises:
            ConfigError: there is no such metric. The text suggests the most similar name.
        """
        found = self.find(name)
        if found is None:
            known = (*self._by_name, *also)
            raise ConfigError(
                f"unknown metric {name!r} ({origin}){did_you_mean(name, known)}; known: {', '.join(known)}"
            )
        return found

    def is_measured(self, name: str) -> bool:
        """Return whether a metric is declared as measured."""
        found = self.find(name)
        return found is not None and found.is_measured

    def title(self, name: str) -> str:
        """Return the name of a metric in reports, with its unit."""
        found = self.find(name)
        return name if found is None else found.title

    def direction(self, name: str) -> Direction:
        """Return whether smaller or larger values of a metric are better."""
        found = self.find(name)
        return "minimize" if found is None else found.direction


CORE_METRICS = Metrics()
"""Only the metrics of the core."""

ANY_METRIC = Metrics(others="counted")
"""Accepts any name as a metric, for texts that are read before the space and the probe are known."""

_TYPES = {
    field.name: bool if field.name.startswith("is_") else str
    for field in dataclasses.fields(ArchitectureMetric)
}


def declared_metrics(owners: Mapping[str, object]) -> Metrics:
    """Return the metrics of the core and those that components declare in their attribute ``metrics``.

    Args:
        owners: Components by the name that errors use for them, such as ``space 'cv/cnn'``.

    Raises:
        PluginError: a declaration is of another type, has a name that is not an identifier in lower case, or a name
            that another owner has declared in another way.
    """
    found = {metric.name: ("the core", metric) for metric in CORE}
    for owner, component in owners.items():
        for metric in tuple(getattr(component, "metrics", ())):
            if not isinstance(metric, ArchitectureMetric):
                raise PluginError(
                    f"{owner} declares the metric {safe_repr(metric)}, which is not an ArchitectureMetric"
                )
            if not _NAME.fullmatch(metric.name) or metric.name.startswith(PART) or metric.name == "score":
                raise PluginError(
                    f"{owner} declares a metric {safe_repr(metric.name)}; a name is a lower-case identifier, such as "
                    f"'energy_mj', that is not 'score' and does not begin with {PART!r}"
                )
            other, known = found.setdefault(metric.name, (owner, metric))
            if known != metric:
                raise PluginError(f"{owner} declares the metric {metric.name!r} otherwise than {other}")
    return Metrics(metric for owner, metric in found.values() if owner != "the core")


def stored_metrics(declared: Iterable[Mapping[str, Any]] = ()) -> Metrics:
    """Return the metrics of a stored run, whose plugins may be missing.

    Any other metric counts as measured, because the files of older runs do not contain declarations.

    Args:
        declared: Declarations in the form of `ArchitectureMetric.as_dict`. Anything else is left out.
    """
    metrics = []
    for fields in declared:
        with contextlib.suppress(TypeError):
            metric = ArchitectureMetric(**fields)
            if all(type(value) is _TYPES[name] for name, value in metric.as_dict().items()):
                metrics.append(metric)
    return Metrics(metrics, others="measured")


def shown_metrics(names: Iterable[str]) -> list[str]:
    """Return those of `names` that have a column in tables and a chart in reports, with those of the core first."""
    present = {name for name in names if name not in _DETAILS and not name.startswith(PART)}
    first = [metric.name for metric in CORE if metric.name in present]
    return [*first, *sorted(present.difference(first))]
