"""Compare the best architecture with the random candidates of the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.values.metrics import Metrics, shown_metrics
from denas_core.values.trial import Trial

from .statistics import quartiles


def compare(
    best: Trial, trials: Sequence[Trial], directions: Mapping[str, str], metrics: Metrics
) -> dict[str, Any]:
    """Compare the best trial with the scored trials of generation 0, by component and by metric.

    Generation 0 is proposed before any score is known. It therefore shows the results of chance with these constraints.

    Args:
        best: The best trial of the run.
        trials: Every trial of the run.
        directions: ``maximize`` or ``minimize`` by component.
        metrics: The metrics of the run.

    Returns:
        ``count`` (number of scored trials of generation 0), ``is_member`` (whether the best one is among them), and
        ``rows``: ``name``, ``kind``, ``direction``, ``best``, ``low``, ``median``, ``high`` (quartiles of generation 0
        without the best one) and ``beaten``, the share of these trials that are strictly worse.
    """
    reference = [trial for trial in trials if trial.is_scored and trial.generation == 0]
    rows: list[dict[str, Any] | None] = []
    for kind, of in (("component", _components), ("metric", _metrics)):
        mine = of(best)
        for name in mine:
            # A count that is a component is not shown again as a metric, where less would be better.
            if kind == "metric" and name in _components(best):
                continue
            others = [of(t)[name] for t in reference if name in of(t) and t is not best]
            direction = directions.get(name, "maximize") if kind == "component" else metrics.direction(name)
            rows.append(_row(name, kind, direction, mine[name], others))
    return {"count": len(reference), "is_member": best in reference, "rows": [row for row in rows if row]}


def _row(name: str, kind: str, direction: str, mine: float, others: Sequence[float]) -> dict[str, Any] | None:
    if not others:
        return None
    low, median, high = quartiles(others)
    worse = [other < mine if direction == "maximize" else other > mine for other in others]
    return {
        "name": name,
        "kind": kind,
        "direction": direction,
        "best": mine,
        "low": low,
        "median": median,
        "high": high,
        "beaten": sum(worse) / len(worse),
    }


def _components(trial: Trial) -> Mapping[str, float]:
    return trial.evaluation.components


def _metrics(trial: Trial) -> Mapping[str, float]:
    # Random candidates have predictions only, if latency was predicted: measurements are not compared with these.
    metrics = {**trial.evaluation.metrics, **(trial.evaluation.predicted or {})}
    return {name: metrics[name] for name in shown_metrics(metrics)}
