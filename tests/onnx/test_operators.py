"""Single operators in ONNX Runtime: their graphs compute what PyTorch computes, and a script times them anywhere."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from denas_core.cli import _run
from denas_core.latency.operators import OperatorReader
from denas_core.latency.table import describe_call
from denas_core.latency.timers import TorchOperators, timer_of
from denas_onnx.operator_graphs import graphs_of
from denas_onnx.operator_times import WEIGHTS, time_graphs
from denas_onnx.operators import RuntimeOperators
from denas_onnx.runtime import Runtime

F = torch.nn.functional
TIMER = RuntimeOperators(optimisations="all", parallel=False)


class Calls(torch.nn.Module):
    """Calls one operator on the inputs and on weights."""

    def __init__(self, call: Any, shapes: list[list[int]]) -> None:
        super().__init__()
        self.call = call
        self.weights = torch.nn.ParameterList([torch.nn.Parameter(torch.empty(shape)) for shape in shapes])

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.call(*inputs, *self.weights)
        return found


def call_of(call: Any, inputs: list[list[int]], weights: list[list[int]]) -> dict[str, Any]:
    """Return the operator call that a function makes, as a model of latency reads it."""
    counts = OperatorReader().read(
        lambda: Calls(call, weights),
        lambda: [torch.empty(shape) for shape in inputs],
        lambda model, given: model(*given),
    )
    (operator,) = counts
    return describe_call(operator)


def run_graph(graphs: dict[str, Any], folder: Path, inputs: list[torch.Tensor]) -> torch.Tensor:
    path = folder / "graph.onnx"
    path.write_bytes(base64.b64decode(graphs["once"]))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    found = session.run(None, {name: each.numpy() for name, each in zip(names, inputs, strict=True)})
    return torch.from_numpy(found[0])


WEIGHTED = [
    (lambda x, w: F.conv2d(x, w, stride=2, padding=1), [[1, 8, 9, 9]], [[4, 8, 3, 3]]),
    (lambda x, w: F.conv2d(x, w, padding=(1, 2), groups=8), [[1, 8, 9, 9]], [[8, 1, 3, 5]]),
    (lambda x, w, b: F.conv1d(x, w, b, padding=2), [[2, 6, 11]], [[4, 6, 5], [4]]),
    (lambda x, w, b: F.linear(x, w, b), [[2, 7, 6]], [[5, 6], [5]]),
    (lambda x, w: F.linear(x, w), [[2, 7, 6]], [[5, 6]]),
    (lambda x, w, b: F.linear(x, w, b), [[3, 6]], [[5, 6], [5]]),
    (lambda x, w, b: F.layer_norm(x, (6,), w, b, 1e-3), [[2, 7, 6]], [[6], [6]]),
]
WITHOUT_WEIGHTS = [
    (lambda x: F.gelu(x), [[2, 7, 6]]),
    (lambda x: F.silu(x), [[2, 7, 6]]),
    (lambda x: torch.softmax(x, dim=-1), [[2, 7, 6]]),
    (lambda x: torch.tanh(x), [[2, 7]]),
    (lambda q, k, v: F.scaled_dot_product_attention(q, k, v), [[1, 2, 5, 4], [1, 2, 9, 4], [1, 2, 9, 4]]),
    (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, scale=0.3),
        [[1, 2, 5, 4], [1, 2, 5, 4], [1, 2, 5, 4]],
    ),
    (lambda x, y: x + y, [[2, 7, 6], [7, 6]]),
    (lambda x: x * 3.0, [[2, 7, 6]]),
]


@pytest.mark.parametrize(("call", "inputs"), WITHOUT_WEIGHTS)
def test_a_graph_computes_what_the_operator_computes(
    tmp_path: Path, call: Any, inputs: list[list[int]]
) -> None:
    graphs = graphs_of(call_of(call, inputs, []), merges=True)
    assert graphs is not None
    given = [torch.randn(shape) for shape in inputs]
    torch.testing.assert_close(run_graph(graphs, tmp_path, given), call(*given), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("call", "inputs", "weights"), WEIGHTED)
def test_a_graph_with_weights_computes_what_the_operator_computes(
    tmp_path: Path, call: Any, inputs: list[list[int]], weights: list[list[int]]
) -> None:
    graphs = graphs_of(call_of(call, inputs, weights), merges=True)
    assert graphs is not None
    numbers = np.random.default_rng(0).random(graphs["bytes"] // 4, dtype=np.float32)
    numbers.tofile(tmp_path / WEIGHTS)
    given = [torch.randn(shape) for shape in inputs]
    # Each weight begins a page later. Convolutions always have a bias, and products hold the transposed weight.
    tensors = []
    for place, shape in enumerate(weights):
        start, count = 1024 * place, int(np.prod(shape))
        flat = torch.from_numpy(numbers[start : start + count].copy())
        is_product = len(shape) == 2 and len(inputs[0]) > 2
        tensors.append(flat.reshape(shape[::-1]).T if is_product else flat.reshape(shape))
    expected = call(*given, *tensors)
    if len(weights) == 1 and len(weights[0]) > 2:
        bias = torch.from_numpy(numbers[1024 : 1024 + weights[0][0]].copy())
        expected = expected + bias.reshape(-1, *[1] * (len(weights[0]) - 2))
    torch.testing.assert_close(run_graph(graphs, tmp_path, given), expected, rtol=1e-4, atol=1e-4)


def test_merged_operators_take_no_time_and_unknown_ones_have_none() -> None:
    merged = call_of(torch.relu, [[2, 3]], [])
    unknown = call_of(lambda x: torch.cumsum(x, 0), [[2, 3]], [])
    padded = call_of(lambda x, w: F.conv2d(x, w, padding="same"), [[1, 2, 5, 5]], [[2, 2, 3, 3]])
    times = TIMER.times([merged, unknown, padded], device="cpu", threads=1, seconds=10)
    assert times == [0.0, None, None]
    plain = RuntimeOperators(optimisations="none", parallel=False)
    assert plain.times([merged], device="cpu", threads=1, seconds=10) == [None]


def test_a_larger_operator_takes_longer() -> None:
    calls = [
        call_of(lambda x, w: F.conv2d(x, w, padding=1), [[1, size, 16, 16]], [[size, size, 3, 3]])
        for size in (16, 128)
    ]
    small, large = TIMER.times(calls, device="cpu", threads=1, seconds=60)
    assert small is not None and large is not None
    # The work is 64 times as much.
    assert large > 8 * small > 0


def test_when_time_is_up_nothing_more_is_timed() -> None:
    call = call_of(torch.tanh, [[2, 3]], [])
    assert TIMER.times([call], device="cpu", threads=1, seconds=-1) == [None]


def test_a_graph_that_the_runtime_refuses_has_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    broken = {"once": "", "several": "", "copies": 4, "bytes": 4}
    assert time_graphs([broken, None], options={"threads": 1}) == [None, None]
    assert "an operator cannot be timed" in capsys.readouterr().err


def test_the_probe_says_how_its_operators_are_timed() -> None:
    timer = timer_of(Runtime(optimisations="basic"))
    assert isinstance(timer, RuntimeOperators)
    assert timer.facts() == {
        "onnxruntime": onnxruntime.__version__,
        "optimisations": "basic",
        "parallel": False,
    }
    assert timer.facts() != timer_of(Runtime()).facts()
    assert TorchOperators().facts() == {}


BLOCK_TORCH = """
import builtins, os, runpy, sys

def refuse(name, *rest, _import=builtins.__import__, **named):
    if name.partition(".")[0] in ("torch", "onnx", "denas_core", "denas_onnx"):
        raise ImportError(f"{name} is not on this machine")
    return _import(name, *rest, **named)

builtins.__import__ = refuse
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
assert "torch" not in sys.modules
"""


def test_the_script_needs_only_onnxruntime_and_numpy(tmp_path: Path) -> None:
    calls = [
        call_of(lambda x, w: F.conv2d(x, w), [[1, 8, 9, 9]], [[4, 8, 3, 3]]),
        call_of(lambda x: torch.cumsum(x, 0), [[2, 3]], []),
    ]
    (tmp_path / "device.py").write_text(TIMER.script())
    document = {
        "calls": TIMER.portable(calls),
        "target": {"threads": 1, "device": "cpu", "probe": Runtime().options()},
    }
    (tmp_path / "device.json").write_text(json.dumps(document))
    environment = {"HOME": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", BLOCK_TORCH, "device.py", "device.json", "times.json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    times = json.loads((tmp_path / "times.json").read_text())
    assert times["schema"] == "denas.operator-times/1"
    assert times["machine"]["onnxruntime"] == onnxruntime.__version__
    first, second = times["calls"]
    assert first["ms"] > 0 and second["ms"] is None
    assert "graphs" not in first
    # Nothing is left behind, and nothing is written into the home directory.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["device.json", "device.py", "times.json"]


@pytest.mark.slow
def test_a_search_for_a_device_that_has_only_onnxruntime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    space = ["--set", "space.image_size=16", "--set", "space.max_layers=2"]
    probe = ["--probe", "onnx/runtime", "--set", "probe.max_rounds=20", "--set", "probe.min_rounds=6"]
    assert _run(["latency", "script", "device.py", "--space", "cv/cnn", *space, *probe], debug=True) == 0
    done = subprocess.run(
        [sys.executable, "-c", BLOCK_TORCH, "device.py", "device.json", "times.json"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert _run(["latency", "import", "times.json", "--machine", "phone"], debug=True) == 0
    # Its error on the device is unknown, and it may be large where tests run beside others.
    search = ["search", "cv/cnn", *space, "--machine", "phone", "--budget", "3", "--out", "run"]
    assert _run(search, debug=True) == 0
    kept = json.loads(Path("run/latency-model.json").read_text())
    assert kept["machine"] == "phone"
    assert kept["model"]["target"]["probe"]["name"] == "onnx/runtime"
    assert kept["model"]["target"]["machine"]["onnxruntime"] == onnxruntime.__version__
    latency = json.loads(Path("run/result.json").read_text())["best"]["latency"]
    assert (latency["machine"], latency["verdict"]) == ("phone", "predicted")
