"""The most memory that torch allocates during a call."""

from __future__ import annotations

import pytest
import torch

from denas_core.builtin.peak_memory import peak_memory


def test_it_is_the_largest_sum_of_what_is_held_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    kept = torch.ones(1000, 1000)

    def call() -> torch.Tensor:
        with torch.inference_mode():
            first = kept + 1  # 4 MB
            second = first.sum(0)  # 4 kB
            del first
            return second + torch.zeros(500, 1000).sum(0)  # 2 MB

    found = peak_memory(call)
    assert found.median == pytest.approx(4.004, abs=0.001)
    assert (found.low, found.high, found.verdict) == (found.median, found.median, "stable")
    assert "USDT" not in capfd.readouterr().err


def test_weights_and_inputs_are_not_counted() -> None:
    layer, x = torch.nn.Linear(1000, 10), torch.ones(50, 1000)
    with torch.inference_mode():
        assert peak_memory(lambda: layer(x)).median == pytest.approx(50 * 10 * 4 / 1e6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_its_allocator_counts() -> None:
    kept = torch.ones(1000, 1000, device="cuda")
    assert peak_memory(lambda: (kept + 1).sum(0)).median == pytest.approx(4.0, rel=0.05)
