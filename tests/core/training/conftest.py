"""The toy plugin is installed for these tests alone."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

pytest.importorskip("transformers")
PLUGIN = Path(__file__).parent / "plugin"
# For the imports of the test modules; the fixture takes its place when tests run.
sys.path.insert(0, str(PLUGIN))
for module in ("plugin", "space", "stored", "task"):
    importlib.import_module(f"denas_points.{module}")
sys.path.remove(str(PLUGIN))


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGIN))


@pytest.fixture
def points(tmp_path: Path) -> Path:
    from .trainings import write_points

    return write_points(tmp_path / "points.txt")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Weights of the widest network of ``points/stored``."""
    from safetensors.torch import save_file
    from torch import nn

    layers = (nn.Linear(2, 16), nn.Tanh(), nn.Dropout(), nn.Linear(16, 16))
    path = tmp_path / "wide.safetensors"
    save_file(nn.Sequential(*layers).state_dict(), path)
    return path


@pytest.fixture
def searched(tmp_path: Path, points: Path) -> Path:
    """A run of six candidates."""
    from tests.core.toy_searches import denas_here

    run = tmp_path / "run"
    options = "--score points/size --objective score --objective params --budget 6 --seed 5 --device cpu -q"
    done = denas_here("search", "points/mlp", *options.split(), "--out", str(run))
    assert done.returncode == 0, done.stderr
    return run
