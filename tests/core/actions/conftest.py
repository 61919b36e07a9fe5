"""Runs of the toy plugin of trainings, searched from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import denas_core
from tests.core.training.conftest import installed as installed
from tests.core.training.conftest import points as points


@pytest.fixture
def found(tmp_path: Path, points: Path) -> denas_core.SearchResult:
    """A search of six networks."""
    return denas_core.search(
        "points/mlp",
        score="points/size",
        objectives=["score", "params"],
        budget=6,
        seed=5,
        device="cpu",
        out=tmp_path / "run",
    )
