"""The record of the build that made a run, for lists and reports; nothing is checked or loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .files import BUILD, read_document
from .trainings import mapping


def read_build(run: Path) -> Mapping[str, Any]:
    """Return the record of the build that made a run; an empty one if no build did, or it cannot be read."""
    document = read_document(run.parent / BUILD)
    search = build_step(document, "search")
    # The record does not name the run before the search has ended.
    is_its_search = search.get("run") == run.name if search else run.name == "search"
    return document if document and is_its_search else {}


def build_step(build: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return what a step of a build has come to; an empty mapping if it has not ended."""
    return mapping(mapping(build.get("steps")).get(name))
