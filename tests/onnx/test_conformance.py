"""The form and the probe keep the promises of their kinds."""

from __future__ import annotations

from denas_core import SearchSpace
from denas_core.testing import ExporterTests, ProbeTests
from denas_core.testing.samples.spaces import SampleCNN, SampleTransformer
from denas_onnx.exporter import ONNX
from denas_onnx.runtime import Runtime


class TestONNX(ExporterTests):
    def make(self) -> ONNX:
        return ONNX().named("onnx/onnx")

    def spaces(self) -> list[SearchSpace]:
        return [SampleCNN().named("sample/cnn")]


class TestRuntime(ProbeTests):
    def make(self) -> Runtime:
        return Runtime().named("onnx/runtime")

    def spaces(self) -> list[SearchSpace]:
        return [SampleTransformer().named("sample/transformer")]
