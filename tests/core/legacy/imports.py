"""Imports of configurations of the original, for tests."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from denas_core.actions.training_options import plan_of
from denas_core.legacy.translate import IMPLIED, Imported, import_config
from denas_core.registry.registry import Registry
from denas_core.setup.config import make_config
from denas_core.setup.setup import Setup
from denas_core.setup.training_file import make_training_file
from denas_core.system.guarded_yaml import load_mapping
from denas_core.training.plan import Plan
from denas_core.training.session import train

CLASSIC = {"name": "scores/de-score", "combination": "classic"}
EVOLUTION = {"name": "builtin/evolution"}
"""The score of every search that is imported: the original had these components."""


def imported(text: str, **keys: object) -> Imported:
    """Return what becomes of a file, in which `keys` have other values."""
    document = {**load_mapping(text, origin="old.conf", value_aliases=True), **keys}
    return import_config(document, Registry.discover(), origin="old.conf")


def keys_by_fate(found: Imported) -> dict[str, set[str]]:
    """Return the old keys by what became of them; each key has come to something."""
    fates: dict[str, set[str]] = defaultdict(set)
    for key, outcome in found.outcomes.items():
        fates[outcome.fate].add(key)
    assert set(found.outcomes) - {IMPLIED} == set(found.old)
    return fates


def set_up(found: Imported) -> Setup:
    """Return the search that an imported configuration describes."""
    assert not found.is_training
    return Setup.from_config(make_config(found.document, origin="test"), Registry.discover())


def plan(found: Imported) -> Plan:
    """Return the training that an imported configuration describes, as ``denas train --config`` reads it."""
    assert found.is_training
    return plan_of(make_training_file(found.document, origin="test"), Registry.discover())


def train_briefly(found: Imported, folder: Path) -> float:
    """Train for the epoch of an imported configuration, on the task's own examples; return the measure."""
    planned = plan(found)
    (folder / "data").mkdir()
    data = planned.task.example(folder / "data", planned.space)
    document = {**found.document, "data": str(data)}
    planned = plan_of(make_training_file(document, origin="test"), Registry.discover())
    result = train(planned, folder / "training", registry=Registry.discover())
    return result.progress.best[planned.task.metric.name]
