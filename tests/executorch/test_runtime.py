"""Latency in ExecuTorch: for one architecture, with its options, and where it cannot be had."""

from __future__ import annotations

import gc
import importlib.util
import json
import subprocess
import sys

import pytest

from denas_core.cli import _run
from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry
from denas_core.testing.samples.spaces import SampleMLP
from denas_executorch.exporter import ExecuTorch
from denas_executorch.runtime import Runtime

SMALL = [
    *("--set", "space.image_size=16", "--set", "space.max_layers=1", "--probe", "executorch/runtime"),
    *("--set", "probe.min_rounds=6", "--set", "probe.max_rounds=6", "--device", "cpu"),
]
ARCH = "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperConvK1BNRELU(16,32,1,1)"


@pytest.mark.nightly
def test_denas_latency_measures_with_it(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("executorch")
    assert _run(["latency", "cv/cnn", "--arch", ARCH, *SMALL, "--json"], debug=True) == 0
    printed = capfd.readouterr()
    document = json.loads(printed.out)
    assert document["probe"] == "executorch/runtime"
    assert 0 < document["low"] <= document["median"] <= document["high"]
    assert "cpuinfo" not in printed.err and "Warning" not in printed.err


def test_batch_and_threads_are_those_of_its_options() -> None:
    pytest.importorskip("executorch")
    space = SampleMLP().named("sample/mlp")
    arch = space.smallest()
    assert arch is not None
    (outputs,) = Runtime(batch_size=7, threads=2).prepare(space, arch, seed=0, device="cpu")()  # type: ignore[misc]
    assert len(outputs) == 7
    from executorch.extension.pybindings import portable_lib  # type: ignore[import-untyped]

    assert portable_lib._threadpool_get_thread_count() == 2


def test_a_call_keeps_the_program_whose_memory_it_reads() -> None:
    pytest.importorskip("executorch")
    from executorch.runtime import Program  # type: ignore[import-untyped]

    space = SampleMLP().named("sample/mlp")
    arch = space.smallest()
    assert arch is not None
    gc.collect()
    before = len([one for one in gc.get_objects() if isinstance(one, Program)])
    call = Runtime().prepare(space, arch, seed=0, device="cpu")
    gc.collect()
    assert len([one for one in gc.get_objects() if isinstance(one, Program)]) == before + 1
    call()


def test_another_device_is_refused() -> None:
    pytest.importorskip("executorch")
    space = SampleMLP().named("sample/mlp")
    arch = space.smallest()
    assert arch is not None
    with pytest.raises(ConfigError, match="runs on the processor, not on 'cuda'; use --device cpu"):
        Runtime().prepare(space, arch, seed=0, device="cuda")


def test_without_executorch_one_line_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "executorch" else find_spec(name, *a)
    )
    assert _run(["latency", "cv/cnn", "--arch", ARCH, *SMALL], debug=False) == 2
    assert capsys.readouterr().err == "error: executorch is not installed: pip install executorch\n"


def test_the_entry_point_offers_both_and_imports_nothing_heavy() -> None:
    registry = Registry.discover()
    assert registry.load("exporter", "executorch") is ExecuTorch
    assert registry.load("probe", "executorch/runtime") is Runtime
    code = (
        "import sys, denas_executorch.plugin, denas_executorch.exporter, denas_executorch.runtime; "
        "print({'torch', 'executorch'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
