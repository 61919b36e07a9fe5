"""The tables of trials that searches, rankings, reports and comparisons print."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import DenasError
from denas_core.runs.choices import CHOICES
from denas_core.values.latency import predicted_metrics
from denas_core.values.metrics import shown_metrics

from .output import MORE, cell, print_next, print_table, print_text

if TYPE_CHECKING:
    from denas_core.results.result import SearchResult
    from denas_core.values.trial import Trial

SHOWN = 10
KEY_DIGITS = 12
"""Digits of a key that tables show; commands take them for the whole key."""

RELATIVE_SCORE = "score*: sum of log-ranks within this run, 0 at best; it has no meaning in another run"

PREDICTED = "~: predicted by the latency model of the run; the others are measured"

PREDICTED_FOR = "~: predicted for machine {}, by the latency model that was imported"

SAMPLED_SCORE = (
    "score*: sum of log-ranks against the {} random networks of this run: 0 is as good as the best of them in every "
    "component; another run has other random networks"
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """A row of a table of trials.

    Attributes:
        first: Values by column, before the components.
        components: Components of the score by name.
        metrics: Metrics by name; the table shows those of `shown_metrics`.
        latency: The latency as it is stored, which says which metrics are predicted; these are shown as ``~4.1``.
        last: Values by column, after the metrics.
    """

    first: Mapping[str, object]
    components: Mapping[str, float | None]
    metrics: Mapping[str, float]
    latency: Mapping[str, Any] | None = None
    last: Mapping[str, object] = dataclasses.field(default_factory=dict)


def print_trial_table(
    rows: Sequence[TrialRow],
    *,
    title: str | None = None,
    chosen: str | None = None,
    more: str = MORE,
) -> None:
    """Print a table of trials: what each is, components, metrics.

    Args:
        rows: At least one; all have the same columns before and after components and metrics.
        title: A line above the table.
        chosen: What the user gave as ``--columns``.
        more: How to see the columns that are left out.
    """
    components = list(dict.fromkeys(name for row in rows for name in row.components))
    metrics = [
        name for name in shown_metrics(name for row in rows for name in row.metrics) if name not in components
    ]
    first, last = (list(rows[0].first), list(rows[0].last)) if rows else ([], [])
    others = [name for name in metrics if name != "flops"]
    print_table(
        [*first, *components, *metrics, *last],
        [
            [
                *row.first.values(),
                *(row.components.get(name) for name in components),
                *(metric_cell(row.metrics, row.latency, name) for name in metrics),
                *row.last.values(),
            ]
            for row in rows
        ],
        title=title,
        prose=("reason",),
        least=("seconds", "flops", *reversed(components), *reversed(others), "front"),
        chosen=chosen,
        more=more,
    )
    predicted = [row.latency for row in rows if row.latency is not None and predicted_metrics(row.latency)]
    machines = sorted({latency["machine"] for latency in predicted if "machine" in latency})
    if machines:
        print_text(PREDICTED_FOR.format(" and ".join(map(repr, machines))))
    elif predicted:
        print_text(PREDICTED)


def metric_cell(metrics: Mapping[str, float], latency: Mapping[str, Any] | None, name: str) -> object:
    """Return a metric as tables show it: with ``~`` before it if it is predicted, as `latency` says."""
    value = metrics.get(name)
    return value if value is None or name not in predicted_metrics(latency) else f"~{cell(value)}"


def print_result(result: SearchResult) -> None:
    """Print the finalists of a search and what to do next."""
    counts = result.counts
    ends = ", ".join(f"{count} {state}" for state, count in counts.items())
    print_text(f"{result.space}: {ends}; {len(result.front)} on the Pareto front\n")
    run = shlex.quote(str(result.path))
    print_ranking(
        result.ranked,
        result.values,
        components=result.components,
        front={trial.arch.key for trial in result.front},
        is_relative=result.is_relative,
        sampled=result.sampled,
        more=f"denas trials {run} --columns all, or --json",
    )
    if result.against_random is not None:
        print_text(f"by this score the first one is {result.against_random.describe()}")
    print_text(
        f"best architecture: {run}/best.json\nfront and finalists: {run}/architectures/\nreport: {run}/report.html"
    )
    data = _data_of(result.path)
    has_latency = result.best.evaluation.latency is not None
    # A run with one score has no weights to change.
    rank = [f"denas rank {run} --weights {result.components[0]}=2"] if len(result.components) > 1 else []
    print_next(
        [
            f"denas report {run} --confidence",
            f"denas trials {run}",
            *rank,
            f"denas train {run} --top 6 --also random:2 --also largest --data {data}",
            f"denas train {run} --data {data}",
            f"denas latency measure {run}" if has_latency else f"denas latency {run}",
        ]
    )


def print_selected(result: SearchResult, name: str) -> None:
    """Print the trial that a name of `CHOICES` or a key chooses, and what to do with it.

    Raises:
        ConfigError: the result has no such trial.
    """
    trial = result.select(name)
    print_ranking([trial], result.values, components=result.components, is_relative=False)
    run = shlex.quote(str(result.path))
    file = f"{run}/architectures/{trial.arch.key}.json"
    print_text(f"{CHOICES.get(name, 'the chosen one')}: {file}")
    data = _data_of(result.path)
    print_next([f"denas train {run} --select {name} --data {data}", f"denas score {run} --select {name}"])


def _data_of(run: Path) -> str:
    """Return the data that a run was scored with, quoted for a shell; ``DATA`` if it was scored with noise."""
    from denas_core.runs.files import read_run

    with contextlib.suppress(DenasError, KeyError, TypeError, AttributeError), read_run(run) as store:
        return shlex.quote(str(store.header()["config"]["data"]["path"]))
    return "DATA"


def print_ranking(
    ranked: Sequence[Trial],
    values: Mapping[str, float],
    *,
    components: Sequence[str],
    front: set[str] | None = None,
    is_relative: bool,
    sampled: int = 0,
    shown: int = SHOWN,
    chosen: str | None = None,
    more: str = MORE,
) -> None:
    """Print the first trials of a ranking with components and metrics; a star marks the Pareto front.

    Args:
        ranked: Scored trials, best first.
        values: Combined value by key.
        components: Components to show.
        front: Keys of the Pareto front.
        is_relative: Whether the values are sums of ranks.
        sampled: Number of random networks against which they are ranks; 0 if they are ranks within the run.
        shown: Number of rows.
        chosen: What the user gave as ``--columns``.
        more: How to see the columns that are left out.
    """
    rows = []
    for place, trial in enumerate(ranked[:shown], start=1):
        known = trial.evaluation.components
        rows.append(
            TrialRow(
                first={
                    "#": place,
                    **({} if front is None else {"front": "*" if trial.arch.key in front else ""}),
                    "key": trial.arch.key[:KEY_DIGITS],
                    "score*" if is_relative else "score": float(values[trial.arch.key]),
                },
                components={name: known.get(name) for name in components},
                metrics=trial.evaluation.metrics,
                latency=trial.evaluation.latency,
            )
        )
    print_trial_table(rows, chosen=chosen, more=more)
    if is_relative:
        print_text(SAMPLED_SCORE.format(sampled) if sampled else RELATIVE_SCORE)
