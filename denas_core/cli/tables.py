"""The tables that searches and rankings print."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from denas_core.values.objectives import SHOWN_METRICS

from .output import print_table

if TYPE_CHECKING:
    from denas_core.results.result import SearchResult
    from denas_core.values.trial import Trial

SHOWN = 10


def print_result(result: SearchResult) -> None:
    """Print the finalists of a search and what to do next."""
    counts = result.counts
    sys.stdout.write(
        f"{result.space}: {counts['scored']} scored, {counts['infeasible']} infeasible, {counts['failed']} failed; "
        f"{len(result.front)} on the Pareto front\n"
    )
    front = {trial.arch.key for trial in result.front}
    print_ranking(
        result.ranked,
        result.values,
        components=result.components,
        front=front,
        is_relative=result.is_relative,
    )
    run = shlex.quote(str(result.path))
    # A run with one score has no weights to change.
    rank = f"denas rank {run} --weights {result.components[0]}=2 | " if len(result.components) > 1 else ""
    sys.stdout.write(
        f"best architecture: {run}/best.json   front and finalists: {run}/architectures/\n"
        f"report: {run}/report.html\n"
        f"next: denas report {run} --confidence | denas trials {run} | {rank}denas train {run} --data DATA | "
        f"denas latency --config {run}/config.yaml --arch {run}/best.json\n"
    )


def print_ranking(
    ranked: Sequence[Trial],
    values: Mapping[str, float],
    *,
    components: Sequence[str],
    front: set[str] | None = None,
    is_relative: bool,
    shown: int = SHOWN,
) -> None:
    """Print the first trials of a ranking with components and metrics; a star marks the Pareto front."""
    top = list(ranked[:shown])
    metrics = [
        name
        for name in SHOWN_METRICS
        if name not in components and any(name in trial.evaluation.metrics for trial in top)
    ]
    columns = [
        "#",
        *(["front"] if front is not None else []),
        "key",
        "score*" if is_relative else "score",
        *components,
        *metrics,
    ]
    rows = [
        [
            place,
            *([] if front is None else ["*" if trial.arch.key in front else ""]),
            trial.arch.key[:12],
            float(values[trial.arch.key]),
            *(trial.evaluation.components.get(name) for name in components),
            *(trial.evaluation.metrics.get(name) for name in metrics),
        ]
        for place, trial in enumerate(top, start=1)
    ]
    print_table(columns, rows)
    if is_relative:
        sys.stdout.write("score*: sum of log-ranks within this run, 0 at best; it means nothing outside it\n")
