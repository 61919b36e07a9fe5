"""The form and the probe keep the promises of their kinds."""

from __future__ import annotations

import pytest

from denas_core import SearchSpace
from denas_core.testing import ExporterTests, ProbeTests
from denas_core.testing.samples.spaces import SampleCNN, SampleTransformer
from denas_executorch.exporter import ExecuTorch
from denas_executorch.runtime import Runtime

pytest.importorskip("executorch")
pytestmark = pytest.mark.nightly


class TestExecuTorch(ExporterTests):
    def make(self) -> ExecuTorch:
        return ExecuTorch().named("executorch/executorch")

    def spaces(self) -> list[SearchSpace]:
        return [SampleCNN().named("sample/cnn")]


class TestRuntime(ProbeTests):
    def make(self) -> Runtime:
        return Runtime().named("executorch/runtime")

    def spaces(self) -> list[SearchSpace]:
        return [SampleTransformer().named("sample/transformer")]
