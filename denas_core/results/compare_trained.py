"""The trained networks of several runs side by side, and which differences are larger than chance allows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from denas_core.runs.files import BUILD, RACE, TRAINING
from denas_core.values.interval import difference_interval

from .trained import TrainedNetwork, trained_networks

GROUPS = ("race", "training", "build")
"""What is compared: networks that were trained for use, and not to see how well a score agrees with accuracy."""

Verdict = Literal["better", "worse", "cannot be told apart", "unknown"]


def kept_network_of(run: Path) -> TrainedNetwork | None:
    """Return the trained network that a run gives; None if it has none, without reading the trials of such a run."""
    folders = (TRAINING, RACE)
    if not any((run / name).exists() for name in folders) and not (run.parent / BUILD).is_file():
        return None
    return kept_network(trained_networks(run))


def kept_network(networks: Sequence[TrainedNetwork]) -> TrainedNetwork | None:
    """Return the network whose model a run gives; else the one with the best value of the largest group."""
    if (kept := next((one for one in networks if one.is_kept), None)) is not None:
        return kept
    usable = [one for one in networks if one.value is not None and one.group in GROUPS]
    return min(usable, key=_place, default=None)


def compare_trained(runs: Sequence[Path]) -> dict[str, Any] | None:
    """Return the trained networks of runs, as JSON can represent them; None if no run has one.

    Returns:
        ``rows``: for each network its run, ``name``, ``key``, ``group``, ``score``, ``metric``, ``value``,
        ``interval``, ``samples``, ``chance``, ``epochs``, ``failure`` and ``is_kept``; the one that a run gives comes
        first. ``pairs``: for each two runs the kept networks with their ``keys``, ``lead``, ``interval`` of the lead,
        ``verdict`` for the first one, and the ``reason`` of an unknown verdict.
    """
    found = {run: [one for one in trained_networks(run) if one.group in GROUPS] for run in runs}
    if not any(found.values()):
        return None
    rows = [_row(run, one) for run, networks in found.items() for one in sorted(networks, key=_place)]
    kept = [(run, one) for run, networks in found.items() if (one := kept_network(networks)) is not None]
    pairs = [
        {"runs": [str(run), str(other)], **_compare(first, second)}
        for (run, first), (other, second) in itertools.combinations(kept, 2)
    ]
    return {"rows": rows, "pairs": pairs}


def _place(network: TrainedNetwork) -> tuple[bool, str, float, str]:
    sign = 1.0 if network.direction == "minimize" else -1.0
    value = float("inf") if network.value is None else sign * network.value
    return not network.is_kept, network.group, value, network.key


def _row(run: Path, network: TrainedNetwork) -> dict[str, Any]:
    names = ("key", "group", "score", "metric", "value", "interval", "samples", "chance", "epochs", "failure")
    return {
        "run": str(run),
        "name": ", ".join(network.origins),
        **{name: getattr(network, name) for name in names},
        "is_kept": network.is_kept,
    }


def _compare(first: TrainedNetwork, second: TrainedNetwork) -> dict[str, Any]:
    reason = _why_unknown(first, second)
    if first.value is None or second.value is None or first.metric != second.metric:
        return _pair(first, second, None, None, "unknown", reason)
    sign = -1.0 if "minimize" in (first.direction, second.direction) else 1.0
    lead = sign * (first.value - second.value)
    if reason or first.samples is None or second.samples is None:
        return _pair(first, second, lead, None, "unknown", reason)
    low, high = difference_interval(first.value, first.samples, second.value, second.samples)
    if sign < 0:
        low, high = -high, -low
    verdict: Verdict = "better" if low > 0 else "worse" if high < 0 else "cannot be told apart"
    return _pair(first, second, lead, (low, high), verdict, "")


def _pair(
    first: TrainedNetwork,
    second: TrainedNetwork,
    lead: float | None,
    interval: tuple[float, float] | None,
    verdict: Verdict,
    reason: str,
) -> dict[str, Any]:
    return {
        "keys": [first.key, second.key],
        "values": [first.value, second.value],
        "metric": first.metric if first.metric == second.metric else None,
        "is_share": first.is_share and second.is_share,
        "lead": lead,
        "interval": None if interval is None else list(interval),
        "verdict": verdict,
        "reason": reason,
    }


def _why_unknown(first: TrainedNetwork, second: TrainedNetwork) -> str:
    """Return why it is not known whether a difference is larger than chance allows; empty if it is known."""
    if first.value is None or second.value is None:
        return "a training has not ended"
    if first.metric != second.metric:
        return f"one is measured by {first.metric}, the other by {second.metric}"
    if first.direction is None or second.direction is None:
        return f"no file says whether a larger {first.metric} is better"
    if not (first.is_share and second.is_share):
        return f"{first.metric} is not a share of samples, so that its interval is not known"
    if not (first.samples and second.samples):
        return "no file says how many samples it was measured on"
    return ""
