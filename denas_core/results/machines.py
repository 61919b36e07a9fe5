"""Latencies of one run side by side: as they were predicted, and as each machine measured them."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.runs.files import read_run
from denas_core.runs.measurements import OF_SEARCH, Measurement
from denas_core.values.ranking import kendall_tau
from denas_core.values.trial import Trial

THE_SEARCH = "the search"
"""How tables call the machine of the search."""

FEWEST = 2
"""Networks from which an agreement is computed."""


def machine_name(name: str) -> str:
    """Return the name of a machine in tables."""
    return THE_SEARCH if name == OF_SEARCH else name


def side_by_side(
    searched: Sequence[Trial], measurements: Mapping[str, Mapping[str, Measurement]]
) -> dict[str, Any] | None:
    """Return the latencies of the networks that were measured after a search, as JSON can represent them.

    Args:
        searched: Trials as the search evaluated them.
        measurements: Measurements by machine and by key, see `Store.measurements`.

    Returns:
        ``machines``: each with ``name``, ``networks`` and ``setting``. ``rows``: one for each measured network with
        ``key``, ``predicted`` (latency, or None) and ``measured`` (latency by machine). ``agreement``: for each pair of
        columns ``between``, ``networks``, ``kendall_tau`` and ``ratio``, the median of the second divided by the first.
        None if nothing was measured.
    """
    machines = {name: _timed(kept) for name, kept in measurements.items() if _timed(kept)}
    if not machines:
        return None
    rows = []
    for trial in searched:
        own = {
            machine_name(name): dict(kept[trial.arch.key].latency or {})
            for name, kept in machines.items()
            if trial.arch.key in kept
        }
        if own:
            predicted = trial.evaluation.latency if trial.evaluation.has_predicted_latency else None
            rows.append(
                {
                    "key": trial.arch.key,
                    "predicted": None if predicted is None else dict(predicted),
                    "measured": own,
                }
            )
    return {
        "machines": [
            {
                "name": machine_name(name),
                "networks": len(kept),
                "setting": dict(next(iter(kept.values())).setting),
            }
            for name, kept in machines.items()
        ],
        "rows": rows,
        "agreement": _agreement(rows, [machine_name(name) for name in machines]),
    }


def prediction_error(compared: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return how far predictions were from the measurements of the search; None if there are fewer than two of these.

    Args:
        compared: What `side_by_side` returned.

    Returns:
        ``networks``, ``median_percent`` (of the absolute relative error) and ``kendall_tau``.
    """
    rows = [] if compared is None else compared["rows"]
    pairs = [
        (row["predicted"]["median"], row["measured"][THE_SEARCH]["median"])
        for row in rows
        if row["predicted"] is not None and THE_SEARCH in row["measured"]
    ]
    if len(pairs) < FEWEST:
        return None
    errors = [abs(predicted / measured - 1) for predicted, measured in pairs if measured > 0]
    return {
        "networks": len(pairs),
        "median_percent": 100 * statistics.median(errors) if errors else None,
        "kendall_tau": kendall_tau(*zip(*pairs, strict=True)),
    }


def kind_of_latency(searched: Sequence[Trial]) -> str | None:
    """Return whether the latency of candidates was predicted or measured; None if the run has no latency.

    A prediction for another machine names it.

    Args:
        searched: Trials as the search evaluated them.
    """
    known = [trial.evaluation for trial in searched if trial.evaluation.latency is not None]
    if not known:
        return None
    predicted = [one.latency for one in known if one.latency is not None and one.has_predicted_latency]
    if not predicted:
        return "measured"
    return f"predicted for {predicted[0]['machine']}" if "machine" in predicted[0] else "predicted"


def count_machines(run: Path) -> int:
    """Return the number of machines that have measured networks of a run after its search.

    Raises:
        ConfigError, StoreDamaged, StorageError: the run cannot be read.
    """
    with read_run(run) as store:
        return sum(bool(_timed(kept)) for kept in store.measurements().values())


def _timed(kept: Mapping[str, Measurement]) -> dict[str, Measurement]:
    return {key: one for key, one in kept.items() if one.latency is not None}


def _agreement(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    columns: dict[str, dict[str, float]] = {
        name: {row["key"]: row["measured"][name]["median"] for row in rows if name in row["measured"]}
        for name in names
    }
    found = []
    for first, second in itertools.combinations(columns, 2):
        keys = [key for key in columns[first] if key in columns[second]]
        if len(keys) < FEWEST:
            continue
        ours, theirs = ([columns[name][key] for key in keys] for name in (first, second))
        ratios = [b / a for a, b in zip(ours, theirs, strict=True) if a > 0]
        found.append(
            {
                "between": [first, second],
                "networks": len(keys),
                "kendall_tau": kendall_tau(ours, theirs),
                "ratio": statistics.median(ratios) if ratios else None,
            }
        )
    return found
