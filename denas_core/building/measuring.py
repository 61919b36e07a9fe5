"""The latency of an exported file on this machine, against the bounds of the search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from denas_core.contracts.exporter import Exporter
from denas_core.contracts.probe import LatencyProbe
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import DenasError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.setup.setup import Setup
from denas_core.values.latency import Latency, check_latency

from .progress import Build

IN_PYTORCH = "builtin/wall-clock"


def measure_export(build: Build, exporter: Exporter, model: TrainedModel, artefact: Path) -> dict[str, Any]:
    """Return the latency of an exported file, and a verdict for each bound.

    A form without a runtime of its own is measured as a network of PyTorch, and the result says so.
    """
    setup = Setup.from_config(build.design.config, build.registry)
    try:
        probe, latency, measured, what = _measure(build, exporter, model, artefact)
    except DenasError as error:
        return {"reason": str(error), "bounds": []}
    values = {name: (one.low, one.high) for name, one in measured.items()}
    values |= {name: (value, value) for name, value in setup.problem.cost(model.arch).items()}
    bounds = []
    for bound in [*setup.problem.constraints, *setup.relative]:
        found = None if bound.relative else values.get(bound.metric)
        verdict = "unknown" if found is None else bound.verdict(*found)
        bounds.append({"bound": str(bound), "verdict": verdict, "measured": found and list(found)})
    return {
        "probe": probe.id,
        "what": what,
        "latency": latency.as_dict(),
        "metrics": {name: one.median for name, one in measured.items()},
        "bounds": bounds,
    }


def _measure(
    build: Build, exporter: Exporter, model: TrainedModel, artefact: Path
) -> tuple[LatencyProbe, Latency, dict[str, Latency], str]:
    config, seed = build.design.config, build.request.seed
    name = exporter.probe or IN_PYTORCH
    options = config.probe.options if config.probe.name == name else {}
    probe: LatencyProbe = build.registry.create("probe", name, options)
    space, device = model.space, build.design.device
    with plugin_errors(f"probe {probe.id!r}", guard=False):
        call = probe.prepare_export(artefact, space, seed=seed, device=device)
        what = "the exported file"
        if call is None:
            call = probe.prepare(space, model.arch, seed=seed, device=device)
            what = "the network in PyTorch, because no probe runs files of this form"
        reference = probe.prepare_reference(space, seed=seed, device=device)
        latency = check_latency(probe.time(call, reference))
        measured = dict(space.latency_metrics(latency, probe.units(space)))
    return probe, latency, {key: check_latency(one) for key, one in measured.items()}, what
