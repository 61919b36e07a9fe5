"""Figures of a result with matplotlib: the Pareto front, and how the best score grew."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from denas_core.errors import ConfigError, did_you_mean
from denas_core.system.extras import require_extra
from denas_core.values.metrics import CORE_METRICS, shown_metrics
from denas_core.values.trial import Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_front(
    ranked: Sequence[Trial],
    values: Mapping[str, float],
    front: Sequence[Trial],
    metric: str,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw scored networks, and the front, by score and a metric.

    Args:
        ranked: The scored trials, best first.
        values: Combined value of each trial by key.
        front: The trials on the front.
        metric: The metric of the horizontal axis.
        ax: The axes to draw on; by default new ones.

    Returns:
        The axes.

    Raises:
        ConfigError: matplotlib is not installed, or no network has the metric.
    """
    axes = _axes(ax, "plot_front()")
    known = shown_metrics({name for trial in ranked for name in trial.evaluation.metrics})
    if metric not in known:
        raise ConfigError(
            f"no network of the run has the metric {metric!r}{did_you_mean(metric, known)}; it has {', '.join(known)}"
        )
    on_front = {trial.arch.key for trial in front}
    others = [trial for trial in ranked if trial.arch.key not in on_front]
    for label, trials, colour, size, marker in (
        ("scored", others, "0.7", 12, "o"),
        ("Pareto front", front, "C0", 28, "o"),
        ("best", ranked[:1], "C3", 70, "*"),
    ):
        drawn = [trial for trial in trials if metric in trial.evaluation.metrics]
        axes.scatter(
            [trial.evaluation.metrics[metric] for trial in drawn],
            [values[trial.arch.key] for trial in drawn],
            label=label,
            color=colour,
            s=size,
            marker=marker,
        )
    axes.set_xlabel(CORE_METRICS.title(metric))
    axes.set_ylabel("score")
    axes.legend()
    return axes


def plot_progress(ranked: Sequence[Trial], values: Mapping[str, float], *, ax: Axes | None = None) -> Axes:
    """Draw the best score so far over the candidates of a search.

    Args:
        ranked: The scored trials.
        values: Combined value of each trial by key.
        ax: The axes to draw on; by default new ones.

    Returns:
        The axes.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    axes = _axes(ax, "plot_progress()")
    ordered = sorted(ranked, key=lambda trial: trial.index)
    best = itertools.accumulate((values[trial.arch.key] for trial in ordered), max)
    axes.step([trial.index + 1 for trial in ordered], list(best), where="post")
    axes.set_xlabel("candidates")
    axes.set_ylabel("best score so far")
    return axes


def _axes(given: Axes | None, purpose: str) -> Axes:
    require_extra("notebook", "matplotlib", purpose=purpose)
    if given is not None:
        return given
    from matplotlib import pyplot

    axes: Axes = pyplot.subplots(layout="constrained")[1]
    return axes
