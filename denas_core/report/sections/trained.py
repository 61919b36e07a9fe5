"""What was trained: the truth beside the score, how it was learned, and what the kept network confuses."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from denas_core.results.trained import TrainedNetwork

from .mistakes import readable_answers, readable_mistakes

FEWEST = 5
"""Networks from which on the score is compared with the metric."""

MOST_ROWS = 40


def describe_trained(networks: Sequence[TrainedNetwork]) -> dict[str, Any] | None:
    """Return the trained networks of a run, as JSON can represent them; None if there are none.

    Returns:
        ``metric``, ``direction``, ``samples`` and ``chance`` of the kept network, or of the first one; ``kept``, its
        key, or None; ``rows``: the networks, the kept one first, then by group and value; ``more``, the number of rows
        that are left out; ``agreement``, see `agree`; ``mistakes`` and ``worst`` answers of the kept network;
        ``latency`` and ``exports`` of its files; ``missing``: sentences about trainings that are damaged or have not
        ended.
    """
    if not networks:
        return None
    kept = next((one for one in networks if one.is_kept), None)
    shown = kept or next((one for one in networks if one.value is not None), networks[0])
    ordered = sorted(networks, key=_order)
    return {
        "metric": shown.metric,
        "direction": shown.direction,
        "samples": shown.samples,
        "chance": shown.chance,
        "kept": None if kept is None else kept.key,
        "rows": [{**one.as_dict(), "name": _name(one)} for one in ordered[:MOST_ROWS]],
        "more": max(len(ordered) - MOST_ROWS, 0),
        "agreement": agree(networks),
        "mistakes": readable_mistakes(shown.mistakes),
        "worst": readable_answers(shown.worst),
        "latency": None if kept is None or kept.latency is None else dict(kept.latency),
        "exports": [] if kept is None else list(kept.exports),
        "missing": _missing(ordered),
    }


def agree(networks: Sequence[TrainedNetwork]) -> dict[str, Any] | None:
    """Return how often the score put the better of two networks first; None for fewer than five networks.

    Only networks of the same group and the same epochs are compared, because others were not trained alike.

    Returns:
        ``group`` and ``epochs``; ``count``, the number of networks; ``pairs``, those whose scores and values both
        differ; ``right``, the share of these pairs in which the network with the better score is the better one, or
        None if there is no such pair; ``keys`` of the networks.
    """
    usable = [one for one in networks if one.score is not None and one.value is not None and one.direction]
    alike = Counter((one.group, one.epochs, one.metric) for one in usable)
    if not alike or (largest := alike.most_common(1)[0])[1] < FEWEST:
        return None
    chosen = [one for one in usable if (one.group, one.epochs, one.metric) == largest[0]]
    sign = 1.0 if chosen[0].direction == "maximize" else -1.0
    verdicts = [
        ((first.score or 0.0) - (second.score or 0.0)) * sign * ((first.value or 0.0) - (second.value or 0.0))
        for first, second in itertools.combinations(chosen, 2)
    ]
    decided = [one for one in verdicts if one]
    return {
        "group": chosen[0].group,
        "epochs": chosen[0].epochs,
        "count": len(chosen),
        "pairs": len(decided),
        "right": sum(one > 0 for one in decided) / len(decided) if decided else None,
        "keys": [one.key for one in chosen],
    }


def _name(network: TrainedNetwork) -> str:
    # A training without a search has only one network.
    return "the network" if network.origins == ("given",) else ", ".join(network.origins)


def _order(network: TrainedNetwork) -> tuple[bool, str, float, str]:
    sign = 1.0 if network.direction == "minimize" else -1.0
    value = float("inf") if network.value is None else sign * network.value
    return not network.is_kept, network.group, value, network.key


def _missing(networks: Sequence[TrainedNetwork]) -> list[str]:
    return [
        f"Of the training of {_name(one)} ({one.key[:12]}), {'; '.join(one.missing)}."
        for one in networks
        if one.missing
    ]
