"""Choices that depend on what is measured before the search: a bound on the size of networks, and the latency probe."""

from __future__ import annotations

import math
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from denas_core.contracts.exporter import Exporter
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Task, TaskData
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import Infeasible
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.models.export import export_model
from denas_core.models.trained import build_network
from denas_core.registry.registry import Registry
from denas_core.setup.setup import Setup
from denas_core.text import seconds as duration
from denas_core.values.architecture import Architecture

from .pace import Pace
from .record import Decision
from .request import BuildRequest
from .schedule import SHARES

FEWEST_EPOCHS = 5
"""Epochs that the networks of a space should have time for; a space that is too slow is not chosen."""

LEAST_RATIO = 3.0
"""How many times as many FLOPs as the smallest network the networks of a search may have, however short the time is."""

MEASURED_NETWORKS = 20
"""Networks that a search measures: for its model of latency, and at its end."""

SHARE_OF_MEASURING = 0.5
"""The share of the time of a search that the exports of these networks may take."""


def smallest_of(space: SearchSpace) -> Architecture:
    """Return the smallest architecture of a space, or any one if the space does not know it."""
    with plugin_errors(f"space {space.id!r}"):
        return space.smallest() or space.sample(random.Random(0))


def bound_of_time(request: BuildRequest, registry: Registry, setup: Setup, pace: Pace) -> str | None:
    """Return a bound on FLOPs within which networks can be trained for some epochs; None if it is not needed.

    A training takes at most as many times as long as that of the smallest network as it has times as many FLOPs.
    """
    if any(bound.metric == "flops" for bound in setup.problem.constraints):
        return None
    space = setup.space
    with plugin_errors(f"space {space.id!r}"):
        smallest = space.cost(smallest_of(space)).get("flops", 0.0)
        full = space.full()
        largest = math.inf if full is None else space.cost(full).get("flops", 0.0)
    times = SHARES["training"] * request.seconds / (FEWEST_EPOCHS * pace.epoch)
    most = max(times, LEAST_RATIO) * smallest
    if not 0 < most < largest:
        return None
    bound = f"flops<={math.ceil(most)}"
    try:
        Setup.from_config(
            setup.config.model_copy(update={"constraints": (*setup.config.constraints, bound)}), registry
        ).check_feasible()
    except Infeasible:
        return None
    return bound


def choose_probe(request: BuildRequest, exporter: Exporter, took: float, default: str) -> Decision:
    """Choose what the search measures: the exported form, if there is time to export enough networks."""
    if MEASURED_NETWORKS * took <= SHARE_OF_MEASURING * SHARES["search"] * request.seconds:
        value = exporter.probe
        reason = f"the bound is for the {exporter.form} file, which this probe measures"
    else:
        value = default
        reason = (
            f"an export takes {duration(took)}, too long for the {MEASURED_NETWORKS} networks that a search measures; "
            f"the {exporter.form} file is measured at the end"
        )
    return Decision(step="space", what="latency in the search", value=value, reason=reason)


def try_export(exporter: Exporter, space: SearchSpace, task: Task[Any], data: TaskData[Any]) -> float:
    """Export the smallest network with fresh weights, and return the seconds that it took."""
    arch = smallest_of(space)
    with plugin_errors(f"space {space.id!r}", guard=False):
        structure = build_network(space, arch, task=task, facts=data.facts)
        network = space.load(structure, arch, seed=0).eval()
    model = TrainedModel(space=space, arch=arch, network=network, task=task, facts=data.facts)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="denas_build_") as folder:
        export_model(exporter, model, Path(folder) / "export")
    return time.monotonic() - began
