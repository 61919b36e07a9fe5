"""Latency in ONNX Runtime: for one architecture, as a constraint of a search, and on devices that are not there."""

from __future__ import annotations

import json
from pathlib import Path

import onnxruntime
import pytest

from denas_core.cli import _run
from denas_core.errors import ConfigError
from denas_core.testing.samples.spaces import SampleMLP
from denas_onnx.program import open_session
from denas_onnx.runtime import Runtime

SMALL = [
    *("--set", "space.image_size=16", "--set", "space.max_layers=1", "--set", "probe.name=onnx/runtime"),
    *("--set", "probe.min_rounds=6", "--set", "probe.max_rounds=6", "--device", "cpu"),
]
ARCH = "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperConvK1BNRELU(16,32,1,1)"


def test_denas_latency_measures_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["latency", "cv/cnn", "--arch", ARCH, *SMALL, "--json"], debug=True) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["probe"] == "onnx/runtime"
    assert 0 < document["low"] <= document["median"] <= document["high"]
    # Those that other work interrupts are left out, unless it interrupts all of them.
    assert document["rounds"] + document["dropped"] == 6
    assert document["relative"] > 0
    assert "torchvision" not in printed.err and "Warning" not in printed.err


@pytest.mark.slow
def test_a_search_takes_it_as_a_constraint(tmp_path: Path) -> None:
    arguments = [
        "search",
        "cv/cnn",
        *SMALL,
        "--score",
        "scores/params",
        "-c",
        "latency_ms<=1000",
        "-b",
        "2",
        "-q",
    ]
    assert _run([*arguments, "--out", str(tmp_path / "run"), "--json"], debug=True) == 0
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert result["trials"] == {"scored": 2, "infeasible": 0, "failed": 0}
    assert 0 < result["best"]["metrics"]["latency_ms"] <= 1000


def test_a_batch_and_threads_are_those_of_its_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}
    session = onnxruntime.InferenceSession

    class Watched(session):  # type: ignore[misc, valid-type]
        def __init__(self, path: Path, options: onnxruntime.SessionOptions, **others: object) -> None:
            seen.update(threads=options.intra_op_num_threads)
            super().__init__(path, options, **others)

        def run(self, names: object, inputs: dict[str, object]) -> object:
            seen.update({name: array.shape for name, array in inputs.items()})  # type: ignore[attr-defined]
            return super().run(names, inputs)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Watched)
    space = SampleMLP().named("sample/mlp")
    arch = space.smallest()
    assert arch is not None
    Runtime(batch_size=7, threads=2).prepare(space, arch, seed=0, device="cpu")()
    assert seen == {"threads": 2, "x": (7, 12)}


def test_a_device_that_onnxruntime_does_not_know_is_refused(tmp_path: Path) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime knows CUDA")
    with pytest.raises(
        ConfigError, match=r"has no CUDAExecutionProvider; install onnxruntime-gpu, or use --device cpu"
    ):
        open_session(tmp_path / "none.onnx", device="cuda")
