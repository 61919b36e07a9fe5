"""Searching with a careless plugin beside a good one, and what must be true afterwards."""

from __future__ import annotations

import os
import random
import re
import signal
import struct
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
import torch

from denas_core.contracts.problem import Problem
from denas_core.evaluation.evaluator import Evaluator
from denas_core.registry.registry import Registry
from denas_core.setup.config import make_config
from denas_core.setup.setup import Setup
from denas_core.study.run_directory import RunDirectory
from denas_core.study.study import Study
from denas_core.values.trial import Trial

from .scores import ACTS

BUDGET = 3
LIMIT = 320
"""Characters of the longest reason: what a fault says is cut at 200 or 300, names come before it."""


def search(out: Path, registry: Registry, **changes: Any) -> list[Trial]:
    """Search the good space and return the trials as the store holds them."""
    settings = {"space": "good/tiny", "score": "good/pair", "strategy": "builtin/random", "budget": BUDGET}
    config = make_config({**settings, "device": "cpu", **changes, "out": str(out)}, origin="zoo")
    setup = Setup.from_config(config, registry)
    # Without the files of a result, which take most of the time of so short a search.
    with RunDirectory.create(setup, registry, out=config.out) as run:
        Study(setup, run.store, path=run.path).run()
        return run.store.trials()


def score_beside(out: Path, registry: Registry, plugin: str, *, budget: int = BUDGET) -> list[Trial]:
    """Search with the good plugin's scores, that of `plugin` between them."""
    weights = {f"{plugin}/it": 1.0, "last": 1.0}
    return search(out, registry, score={"name": "good/pair", "weights": weights}, budget=budget)


def evaluate_beside(registry: Registry, plugin: str) -> list[Trial]:
    """Evaluate two architectures with the same scores, the first of which lets `plugin` act; quicker than a search."""
    names = {"first": "good/first", f"{plugin}/it": f"{plugin}/it", "last": "good/last"}
    components = {name: registry.create("score", id) for name, id in names.items()}
    space = registry.create("space", "good/tiny")
    evaluator = Evaluator(Problem(space), components)
    archs = [space.architecture({"width": 5, "kernel": kernel}) for kernel in (3, 1)]
    return [
        Trial(index=index, generation=0, arch=arch, evaluation=evaluator(arch))
        for index, arch in enumerate(archs)
    ]


def faults_of_score(trials: list[Trial], calm: Mapping[str, Trial], plugin: str) -> list[str]:
    """Return what a careless score has done to a search, compared with a search without it; nothing, it should be."""
    pattern, _ = ACTS[plugin]
    faults = [] if any(trial.is_scored for trial in trials) else ["no trial is scored"]
    if not any(trial.arch["kernel"] == 3 for trial in trials):
        faults.append("it never acted")
    for trial in trials:
        result, reference = trial.evaluation, calm[trial.arch.key].evaluation
        acted = trial.arch["kernel"] == 3
        expected = "failed" if acted and pattern else "scored"
        if result.state != expected:
            faults.append(f"a trial is {result.state}, not {expected}: {result.reason}")
        if result.state == "failed" and not re.search(pattern or "$^", result.reason):
            faults.append(f"the reason is {result.reason!r}")
        if not result.reason.isprintable() or len(result.reason) > LIMIT:
            faults.append(f"the reason is not a line of at most {LIMIT} characters: {result.reason[:400]!r}")
        for name in ("first", "last"):
            if name == "last" and not result.components.keys() & {"last"} and result.state == "failed":
                continue
            if bits(result.components[name]) != bits(reference.components[name]):
                faults.append(f"{name!r} is {result.components[name]!r}, not {reference.components[name]!r}")
        if result.state == "scored" and bits(result.components[f"{plugin}/it"]) != bits(1.0):
            faults.append(f"its own score is {result.components[f'{plugin}/it']!r}")
    return faults


def bits(value: float) -> bytes:
    """Return the bits of a number."""
    if type(value) is not float:
        raise TypeError(f"{value!r} is not a float")
    return struct.pack("<d", value)


def process() -> dict[str, Any]:
    """Return what belongs to the process, read without the code under test."""
    return {
        "directory": Path.cwd(),
        "environment": dict(os.environ),
        "streams": [id(getattr(sys, name)) for name in ("stdin", "stdout", "stderr", "__stdout__", "__stderr__")],
        "closed": [sys.stdout.closed, sys.stderr.closed],
        "descriptors": [os.fstat(number)[:2] for number in (1, 2)],
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "warnings": list(warnings.filters),
        "random": [random.getstate(), [part.tolist() if hasattr(part, "tolist") else part
                                       for part in numpy.random.get_state()], torch.get_rng_state().tolist()],
        "torch": [
            torch.get_default_dtype(), str(torch.get_default_device()), torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision(),
            torch.is_grad_enabled(), torch.is_inference_mode_enabled(),
        ],
        "numpy": numpy.geterr(),
    }  # fmt: skip


def stirred() -> dict[str, Any]:
    """Return `process` after drawing from each generator: so that none is where a guard would leave it unrestored."""
    random.random()
    numpy.random.rand()
    torch.rand(1)
    return process()


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what a plugin has left changed in the process."""
    return [f"{name} changed" for name in before if before[name] != after[name]]
