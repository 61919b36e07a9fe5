"""Compute how much of the ranking of the trials each knob explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from denas_core.values.architecture import KnobValue
from denas_core.values.trial import Trial

from .statistics import share_explained

FEWEST = 8
"""Smallest number of trials in which a knob must be active for a statement about it."""

TOP_SHARE = 0.1
FEWEST_TOP = 5
MOST_TRIALS = 4000
MOST_KNOBS = 200


def knob_influence(ranked: Sequence[Trial]) -> dict[str, Any]:
    """Return the share of the ranking of scored trials that each knob explains.

    It is a share of the variance of ranks, see `share_explained`. If only some architectures have a knob, the share is
    computed from them. Each knob is considered alone, so the shares do not add up and do not show interactions.

    Args:
        ranked: Scored trials, best first.

    Returns:
        ``trials`` (number of trials used), ``top`` (number of them that count as the best tenth), and ``knobs`` in
        descending order of ``share``: ``name``, ``active`` (number of trials that have the knob), ``values`` (number of
        different values), ``share``, ``p`` (both None if there are too few trials), ``best`` (most frequent value in
        the best tenth), ``best_share`` and ``usual_share`` (frequency of this value in the best tenth, and in all
        trials).
    """
    # Trials are taken evenly from the ranking, so that a long run takes no more time than a short one.
    step = max(1, -(-len(ranked) // MOST_TRIALS))
    used = ranked[::step]
    top = max(min(FEWEST_TOP, len(used)), round(TOP_SHARE * len(used)))
    names = list(dict.fromkeys(name for trial in used for name in trial.arch.values))[:MOST_KNOBS]
    rows = [_row(name, used, top) for name in names]
    rows.sort(key=lambda row: -1.0 if row["share"] is None else row["share"], reverse=True)
    return {"trials": len(used), "top": top, "knobs": rows}


def _row(name: str, used: Sequence[Trial], top: int) -> dict[str, Any]:
    active = [
        (place, trial.arch.values[name]) for place, trial in enumerate(used) if name in trial.arch.values
    ]
    values = [value for _, value in active]
    found = None
    if len(active) >= FEWEST:
        found = share_explained([-place for place, _ in active], values)
    best, best_share = _most_frequent([value for place, value in active if place < top])
    return {
        "name": name,
        "active": len(active),
        "values": len(set(values)),
        "share": None if found is None else found[0],
        "p": None if found is None else found[1],
        "best": best,
        "best_share": best_share,
        "usual_share": None if best is None else values.count(best) / len(values),
    }


def _most_frequent(values: Sequence[KnobValue]) -> tuple[KnobValue | None, float | None]:
    if not values:
        return None, None
    value, count = Counter(values).most_common(1)[0]
    return value, count / len(values)
