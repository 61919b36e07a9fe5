"""Latency in OpenVINO: for one architecture, with its options, and where it cannot be had."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import openvino
import pytest

from denas_core.cli import _run
from denas_core.cli.commands.doctor import examine
from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry
from denas_core.testing.samples.spaces import SampleMLP
from denas_openvino import program
from denas_openvino.exporter import OpenVINO
from denas_openvino.runtime import Runtime

# OpenVINO once ended a process in which thousands of other tests had run before.
pytestmark = pytest.mark.nightly

SMALL = [
    *("--set", "space.image_size=16", "--set", "space.max_layers=1", "--probe", "openvino/runtime"),
    *("--set", "probe.min_rounds=6", "--set", "probe.max_rounds=6", "--device", "cpu"),
]
ARCH = "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperConvK1BNRELU(16,32,1,1)"


def test_denas_latency_measures_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["latency", "cv/cnn", "--arch", ARCH, *SMALL, "--json"], debug=True) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["probe"] == "openvino/runtime"
    assert 0 < document["low"] <= document["median"] <= document["high"]
    assert "Warning" not in printed.err


@pytest.mark.parametrize("bfloat16", [False, True])
def test_batch_threads_and_precision_are_those_of_its_options(
    bfloat16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[openvino.CompiledModel] = []
    compiled = program.compiled
    monkeypatch.setattr(program, "compiled", lambda *a, **k: seen.append(compiled(*a, **k)) or seen[-1])
    space = SampleMLP().named("sample/mlp")
    arch = space.smallest()
    assert arch is not None
    outputs = Runtime(batch_size=7, threads=2, bfloat16=bfloat16).prepare(space, arch, seed=0, device="cpu")()
    (network,) = seen
    assert list(network.inputs[0].shape) == [7, 12]
    assert network.get_property("INFERENCE_NUM_THREADS") == 2
    assert next(iter(outputs.values())).shape[0] == 7  # type: ignore[attr-defined]
    if not bfloat16:
        assert network.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"


def test_another_device_is_refused() -> None:
    space = SampleMLP().named("sample/mlp")
    arch = space.smallest()
    assert arch is not None
    with pytest.raises(ConfigError, match="runs on the processor, not on 'cuda'; use --device cpu"):
        Runtime().prepare(space, arch, seed=0, device="cuda")


def test_without_openvino_one_line_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "openvino" else find_spec(name, *a)
    )
    assert _run(["latency", "cv/cnn", "--arch", ARCH, *SMALL], debug=False) == 2
    assert capsys.readouterr().err == "error: openvino is not installed: pip install openvino\n"


def test_the_entry_point_offers_both_and_imports_nothing_heavy() -> None:
    registry = Registry.discover()
    assert registry.load("exporter", "openvino") is OpenVINO
    assert registry.load("probe", "openvino/runtime") is Runtime
    code = (
        "import sys, denas_openvino.plugin, denas_openvino.exporter, denas_openvino.runtime; "
        "print({'torch', 'openvino'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_the_doctor_lists_its_version() -> None:
    assert examine()["versions"]["openvino"] == openvino.__version__.split("-")[0]
