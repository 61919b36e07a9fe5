"""Which knobs mattered: how much of the order of the trials each knob explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from denas_core.values.architecture import KnobValue
from denas_core.values.trial import Trial

from .statistics import share_explained

FEWEST = 8
"""Trials in which a knob must be active before anything is said of it."""

TOP_SHARE = 0.1
FEWEST_TOP = 5
MOST_TRIALS = 4000
MOST_KNOBS = 200


def knob_influence(ranked: Sequence[Trial]) -> dict[str, Any]:
    """Return what each knob explains of the ranking of scored trials.

    A knob that is active in some architectures only is judged by those. The share is that of the variance of ranks, see
    `share_explained`; knobs are taken one at a time, so shares neither add up nor show interactions.

    Args:
        ranked: Scored trials, best first.

    Returns:
        ``trials`` looked at, ``top`` trials that count as the best tenth, and ``knobs``, most explained first:
        ``name``, ``active`` trials, ``values`` seen, ``share``, ``p`` (both None where nothing can be said),
        ``best`` (the value most frequent among the best), ``best_share`` and ``usual_share``: how frequent it is
        there and in all trials.
    """
    # Evenly over the ranking, so that a long run costs no more than a short one.
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
