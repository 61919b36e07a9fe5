"""The part of a table of trials that two searches with the same settings share, however fast the machine was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from denas_core.values.metrics import Metrics, stored_metrics
from denas_core.values.trial import Trial


def comparable(trials: Iterable[Trial], metrics: Metrics | None = None) -> list[list[Any]]:
    """Return the part of a table of trials that is equal in every repetition of a search: everything not measured.

    Args:
        trials: The trials.
        metrics: The metrics of the run. By default those of the core; any other metric then counts as measured.
    """
    known = metrics or stored_metrics()
    rows = []
    for trial in trials:
        result = trial.evaluation
        counted = {name: value for name, value in result.metrics.items() if not known.is_measured(name)}
        rows.append(
            [
                trial.index,
                trial.generation,
                trial.arch.key,
                trial.arch.as_dict(),
                result.state,
                result.reason,
                {name: value.hex() for name, value in sorted(result.components.items())},
                counted,
            ]
        )
    return rows
