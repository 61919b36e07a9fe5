"""The form and the probe keep the promises of their kinds."""

from __future__ import annotations

import pytest

from denas_core import SearchSpace
from denas_core.testing import ExporterTests, ProbeTests
from denas_core.testing.samples.spaces import SampleCNN, SampleTransformer
from denas_openvino.exporter import OpenVINO
from denas_openvino.runtime import Runtime

# OpenVINO once ended a process in which thousands of other tests had run before.
pytestmark = pytest.mark.nightly


class TestOpenVINO(ExporterTests):
    def make(self) -> OpenVINO:
        return OpenVINO().named("openvino/openvino")

    def spaces(self) -> list[SearchSpace]:
        return [SampleCNN().named("sample/cnn")]


class TestRuntime(ProbeTests):
    def make(self) -> Runtime:
        return Runtime().named("openvino/runtime")

    def spaces(self) -> list[SearchSpace]:
        return [SampleTransformer().named("sample/transformer")]
