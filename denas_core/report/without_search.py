"""The report of a training that no search came before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from denas_core.results.trained import trained_networks
from denas_core.runs.files import TRAINING_SETTINGS, is_run
from denas_core.system.machine import moment
from denas_core.version import __version__

from .sections.answer import answer
from .sections.fits import describe_fit
from .sections.trained import describe_trained

SCHEMA = "denas.training-report/1"


def is_training(path: Path) -> bool:
    """Return whether a directory is a training and not a run."""
    return (path / TRAINING_SETTINGS).is_file() and not is_run(path)


def gather_training(directory: Path) -> dict[str, Any]:
    """Return the document of the report of a training, as JSON can represent it."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "generated": moment(),
        "denas": __version__,
        "run": str(directory),
        "subject": "This training gave",
        "trained": describe_trained(trained_networks(directory)),
        "best": None,
        "trials": [],
        "fits": describe_fit([], None, None),
        "familiar": None,
        "race": None,
        "against_random": None,
        "confidence": None,
    }
    document["answer"] = found = answer(document)
    document["verdict"] = [
        "This training has not given a network yet." if found is None else found["sentence"]
    ]
    return document
