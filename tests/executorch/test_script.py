"""The code of ``predict.py`` runs exported programs, and the probe measures them as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core import SearchSpace
from denas_core.testing.samples.spaces import SampleMLP
from denas_executorch.exporter import ExecuTorch
from denas_executorch.runtime import Runtime
from tests.core.exported import InStages
from tests.core.exported_code import check_code, check_probe

pytest.importorskip("executorch")

EXPORTER = ExecuTorch().named("executorch/executorch")
SPACES = [SampleMLP().named("sample/mlp"), InStages()]


@pytest.mark.parametrize("space", SPACES, ids=["one", "stages"])
def test_the_code_gives_the_outputs_of_the_network_without_denas(space: SearchSpace, tmp_path: Path) -> None:
    check_code(EXPORTER, space, tmp_path, without=("denas_core", "denas_executorch"))


@pytest.mark.parametrize("space", SPACES, ids=["one", "stages"])
def test_the_probe_runs_the_exported_program(space: SearchSpace, tmp_path: Path) -> None:
    probe = Runtime(batch_size=2, min_rounds=6, max_rounds=6, seconds=1).named("executorch/runtime")
    check_probe(EXPORTER, probe, space, tmp_path)
