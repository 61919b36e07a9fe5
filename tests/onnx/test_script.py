"""The code of ``predict.py`` runs exported files, and the probe measures them as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core import SearchSpace
from denas_core.testing.samples.spaces import SampleMLP
from denas_onnx.exporter import ONNX
from denas_onnx.runtime import Runtime
from tests.core.exported import InStages
from tests.core.exported_code import check_code, check_probe

EXPORTER = ONNX().named("onnx/onnx")


@pytest.mark.parametrize("space", [SampleMLP().named("sample/mlp"), InStages()], ids=["one", "stages"])
def test_the_code_gives_the_outputs_of_the_network_without_torch_and_denas(
    space: SearchSpace, tmp_path: Path
) -> None:
    check_code(EXPORTER, space, tmp_path, without=("torch", "denas_core", "denas_onnx"))


@pytest.mark.parametrize("space", [SampleMLP().named("sample/mlp"), InStages()], ids=["one", "stages"])
def test_the_probe_runs_the_exported_file(space: SearchSpace, tmp_path: Path) -> None:
    probe = Runtime(batch_size=2, min_rounds=6, max_rounds=6, seconds=1).named("onnx/runtime")
    check_probe(EXPORTER, probe, space, tmp_path)
