"""The published tables, on a machine that has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[2] / "shared" / "benchmarks"
TABLES = Path(os.environ.get("DENAS_BENCHMARKS", BESIDE))


def published(name: str) -> Path:
    """Return the path of a published table, or skip the test where it is not there."""
    path = TABLES / name
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine; DENAS_BENCHMARKS says where the published tables are")
    return path
