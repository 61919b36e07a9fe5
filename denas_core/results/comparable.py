"""What two searches with the same settings have in common, however fast they were."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from denas_core.values.metrics import Metrics, stored_metrics
from denas_core.values.trial import Trial


def comparable(trials: Iterable[Trial], metrics: Metrics | None = None) -> list[list[Any]]:
    """Return the part of a table of trials that the same search always repeats: nothing that is measured.

    Args:
        trials: The trials.
        metrics: The metrics of the run; by default those of the core, and every other is taken for a measured one.
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
