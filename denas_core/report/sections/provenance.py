"""Describe the origin of a result, and whether it can be reproduced."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.runs.files import STORE
from denas_core.setup.config import as_yaml
from denas_core.system.machine import moment
from denas_core.values.metrics import Metrics
from denas_core.values.objectives import Budget, Constraint, Objective
from denas_core.version import __version__


def describe_provenance(
    run: Path, header: Mapping[str, Any], metrics: Metrics, *, active_seconds: float, has_latency: bool
) -> dict[str, Any]:
    """Return versions, machine, configuration, times, and whether the table of trials is reproducible bit for bit.

    Args:
        run: The run directory.
        header: The header of the run.
        metrics: The metrics of the run.
        active_seconds: Seconds of work, summed over resumes.
        has_latency: Whether latency was measured.
    """
    config = header["config"]
    return {
        "denas": __version__,
        "distributions": dict(header["distributions"]),
        "environment": dict(header["environment"]),
        "fingerprint": header["fingerprint"],
        "seed": config["seed"],
        "config": config,
        "config_yaml": as_yaml(config),
        "started": header.get("started"),
        "last_commit": _last_commit(run),
        "active_seconds": active_seconds,
        "reproducible": _reproducible(
            config, metrics, has_latency=has_latency, is_sized="generation_sizes" in header
        ),
    }


def _reproducible(
    config: Mapping[str, Any], metrics: Metrics, *, has_latency: bool, is_sized: bool
) -> dict[str, Any]:
    obstacles = []
    if Budget.parse(config["budget"]).candidates is None:
        obstacles.append(
            "its budget is a time, so the number of candidates depends on the speed of the machine"
        )
    if is_sized:
        obstacles.append("the size of its generations was chosen according to the speed of the machine")
    measured = [text for text in config["constraints"] if Constraint.parse(text, metrics).is_measured]
    measured += [name for name in config["objectives"] if Objective.parse(name, metrics).is_measured]
    if has_latency or measured:
        obstacles.append("it measures latency, which differs in every run")
    if obstacles:
        return {
            "bit_for_bit": False,
            "why": f"This search cannot be reproduced bit for bit: {' and '.join(obstacles)}. "
            "A resumed search never repeats or loses a stored trial.",
        }
    return {
        "bit_for_bit": True,
        "why": "This search can be reproduced bit for bit: with the same seed, versions and processor, the table of "
        "trials does not depend on executor, number of workers, kills or resumes.",
    }


def _last_commit(run: Path) -> str | None:
    times = []
    for name in (STORE, f"{STORE}-wal"):
        try:
            facts = (run / name).stat()
        except OSError:
            continue
        # Reading a store makes an empty log. Only a log with content was written by the search.
        if facts.st_size:
            times.append(facts.st_mtime)
    return moment(max(times)) if times else None
