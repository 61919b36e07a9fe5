"""The trials of a result as rows of a table, for people who go on in pandas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from denas_core.system.extras import require_extra
from denas_core.values.latency import predicted_metrics
from denas_core.values.trial import Trial

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]


def trial_rows(
    ranked: Sequence[Trial], values: Mapping[str, float], front: Sequence[Trial]
) -> list[dict[str, Any]]:
    """Return a row for each scored trial, best first.

    The columns are ``key``, ``score``, ``front`` (whether the trial is on the Pareto front), ``index`` (its place in
    the search), each component, each metric, ``predicted`` (the names of metrics that are predicted and not measured),
    and the knobs as ``arch.NAME``.

    Args:
        ranked: The trials.
        values: Combined value of each trial by key.
        front: The trials on the front.
    """
    on_front = {trial.arch.key for trial in front}
    return [
        {
            "key": trial.arch.key,
            "score": values[trial.arch.key],
            "front": trial.arch.key in on_front,
            "index": trial.index,
            **trial.evaluation.components,
            **trial.evaluation.metrics,
            "predicted": ",".join(sorted(predicted_metrics(trial.evaluation.latency))),
            **{f"arch.{name}": value for name, value in trial.arch.as_dict().items()},
        }
        for trial in ranked
    ]


def to_pandas(rows: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    """Return the rows of `trial_rows` as a data frame, whose index is the key.

    Raises:
        ConfigError: pandas is not installed; the text says how to install it.
    """
    require_extra("notebook", "pandas", purpose="to_pandas()")
    import pandas

    return pandas.DataFrame(list(rows)).set_index("key")
