"""Races of the toy plugin of trainings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.toy_searches import denas_here
from tests.core.training.conftest import installed as installed
from tests.core.training.conftest import points as points


@pytest.fixture
def searched(tmp_path: Path, points: Path) -> Path:
    """A run of nine candidates, all of them random."""
    run = tmp_path / "run"
    options = "--score points/size --objective score --objective params --budget 9 --seed 4 --device cpu -q"
    done = denas_here("search", "points/deep", *options.split(), "-c", "params<=800", "--out", str(run))
    assert done.returncode == 0, done.stderr
    return run
