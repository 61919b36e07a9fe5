"""The weights of a run that were fitted to trainings. They rank it in place of the weights of its search."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.errors import StoreDamaged
from denas_core.evaluation.scoring import check_weights
from denas_core.registry.registry import Registry
from denas_core.runs.files import CALIBRATION
from denas_core.setup.config import make_config
from denas_core.setup.setup import Setup
from denas_core.system.atomic import storage_errors

SCHEMA = "denas.calibration/1"


def read_calibration(run: Path) -> dict[str, Any] | None:
    """Return the document of the calibration that is in force in a run; None if there is none.

    Raises:
        StoreDamaged: it is not such a document.
        StorageError: it cannot be read.
    """
    path = run / CALIBRATION
    with storage_errors(path):
        if not path.is_file():
            return None
        text = path.read_text(encoding="utf-8")
    try:
        document: dict[str, Any] = json.loads(text)
        if document["schema"] != SCHEMA:
            raise ValueError(f"its format is {document['schema']!r}")
        check_weights(document["weights"])
        len(document["networks"])
        return document
    except Exception as error:
        raise StoreDamaged(
            f"{str(path)!r} is damaged: {error!r}; remove it to rank with the weights of the search"
        ) from error


def calibrated_config(run: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a run, with the weights of its calibration if one is in force.

    Raises:
        StoreDamaged, StorageError: see `read_calibration`.
    """
    calibration = read_calibration(run)
    return dict(config) if calibration is None else with_weights(config, calibration["weights"])


def with_weights(config: Mapping[str, Any], weights: Mapping[str, float]) -> dict[str, Any]:
    """Return a configuration with other weights of components."""
    score = config["score"]
    return {**config, "score": {**score, "weights": {**score.get("weights", {}), **weights}}}


def calibrated_setup(run: Path, setup: Setup, registry: Registry) -> Setup:
    """Return the objects of a search, whose trials are ranked with the weights of its calibration if one is in force.

    Raises:
        StoreDamaged, StorageError: see `read_calibration`.
    """
    calibration = read_calibration(run)
    if calibration is None:
        return setup
    config = with_weights(setup.config.as_dict(), calibration["weights"])
    objects = {kind: component for kind, component in setup.components.items() if kind != "score"}
    made = Setup.from_config(make_config(config, origin=str(run / CALIBRATION)), registry, objects=objects)
    return dataclasses.replace(setup, scoring=made.scoring)


def describe_calibration(run: Path) -> list[str]:
    """Return a sentence for the user if a calibration is in force.

    Raises:
        StoreDamaged, StorageError: see `read_calibration`.
    """
    calibration = read_calibration(run)
    if calibration is None:
        return []
    weights = ", ".join(f"{name} {weight:.2g}" for name, weight in calibration["weights"].items())
    return [
        f"the ranking uses weights that were fitted to {len(calibration['networks'])} trainings: {weights}; the search "
        "used its own"
    ]
