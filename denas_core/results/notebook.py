"""A result as a notebook shows it: a table of the best networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denas_core.text import number, quantity
from denas_core.values.html import paragraphs_html, table_html
from denas_core.values.latency import predicted_metrics
from denas_core.values.metrics import shown_metrics
from denas_core.values.trial import Trial

from .trained import TrainedNetwork

SHOWN = 10
KEY_DIGITS = 12


def trials_html(
    ranked: Sequence[Trial], values: Mapping[str, float], front: Sequence[Trial], components: Sequence[str]
) -> str:
    """Return an HTML table of the best trials: their scores, components and metrics.

    Args:
        ranked: The scored trials, best first.
        values: Combined value of each trial by key.
        front: The trials on the front, which are marked.
        components: The components that have a column.
    """
    names = {name for trial in ranked for name in trial.evaluation.metrics}
    metrics = shown_metrics(names.difference(components))
    on_front = {trial.arch.key for trial in front}
    rows = [
        [
            str(place),
            "✓" if trial.arch.key in on_front else "",
            trial.arch.key[:KEY_DIGITS],
            number(values[trial.arch.key]),
            *(number(trial.evaluation.components.get(name)) for name in components),
            *(_metric(trial, name) for name in metrics),
        ]
        for place, trial in enumerate(ranked[:SHOWN], start=1)
    ]
    return table_html(["", "front", "key", "score", *components, *metrics], rows)


def trained_html(networks: Sequence[TrainedNetwork]) -> str:
    """Return an HTML table of trained networks; nothing if there are none."""
    if not networks:
        return ""
    rows = [
        [
            ", ".join(one.origins),
            one.key[:KEY_DIGITS],
            one.group,
            number(one.score),
            one.metric or "",
            number(one.value),
            "" if one.interval is None else f"{one.interval[0]:.3f} to {one.interval[1]:.3f}",
            number(one.samples),
            number(one.chance),
            one.failure or "; ".join(one.missing),
        ]
        for one in networks[:SHOWN]
    ]
    headings = ["trained", "key", "in", "score", "metric", "value", "95 % interval", "samples", "chance", ""]
    more = len(networks) - SHOWN
    return table_html(headings, rows) + (
        paragraphs_html([f"and {more} more trained networks"]) if more > 0 else ""
    )


def _metric(trial: Trial, name: str) -> str:
    value = trial.evaluation.metrics.get(name)
    if value is None:
        return ""
    sign = "~" if name in predicted_metrics(trial.evaluation.latency) else ""
    return f"{sign}{quantity(value)}"
