"""The probe builtin/cuda-events: it times the GPU, and refuses another device."""

from __future__ import annotations

import pytest
import torch

from denas_core.builtin.cuda_events import CudaEvents
from denas_core.cli import _run
from denas_core.testing.samples.spaces import SampleMLP

ARCH = "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperConvK1BNRELU(16,32,1,1)"


def test_another_device_gives_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--set", "space.image_size=16", "--set", "space.max_layers=1", "--device", "cpu"]
    assert _run(["latency", "cv/cnn", "--arch", ARCH, *small, "--probe", "builtin/cuda-events"], False) == 2
    assert capsys.readouterr().err == (
        "error: builtin/cuda-events needs a CUDA device, and this is 'cpu'; use --device cuda\n"
    )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_longer_computation_of_the_gpu_takes_longer() -> None:
    probe = CudaEvents(min_rounds=12, max_rounds=60)
    x = torch.ones(2048, 2048, device="cuda")

    def times(count: int) -> float:
        def call() -> None:
            for _ in range(count):
                x @ x

        return probe.time(call, None).median

    assert times(40) > 4 * times(4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_network_is_timed_and_its_memory_counted() -> None:
    space = SampleMLP().named("sample/mlp")
    arch = space.smallest()
    assert arch is not None
    probe = CudaEvents(more=True, min_rounds=12, max_rounds=60)
    call = probe.prepare(space, arch, seed=0, device="cuda")
    reference = probe.prepare_reference(space, seed=0, device="cuda")
    assert probe.time(call, reference).median > 0
    assert probe.other_metrics(call, reference)["peak_memory_mb"].median > 0


def test_its_checks_are_left_out_where_there_is_no_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["check", "builtin/cuda-events"], debug=False) == 0
    if not torch.cuda.is_available():
        assert "this machine has none of the devices of builtin/cuda-events: cuda" in capsys.readouterr().out
