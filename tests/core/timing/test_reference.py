from __future__ import annotations

from pathlib import Path

import pytest
import torch

from denas_core.system.cache import cache_folder
from denas_core.timing import reference as module
from denas_core.timing.reference import (
    Calibration,
    better,
    calibrate,
    keep,
    known_calibration,
    make_reference,
    reference_call,
)

from .clock import Clock

QUIET = Calibration(1.0, "", "2026-01-01 00:00:00 UTC")
NOISY = Calibration(1.5, "other work took 60% of the cores", "2026-01-01 00:00:00 UTC")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENAS_CACHE", str(tmp_path))


def calibrated(*steps: float | tuple[float, float], others: float = 0.0) -> Calibration:
    """Calibrate with a call of these times, while other work takes so many cores."""
    clock = Clock()
    return calibrate(
        clock.call(*steps), threads=1, stopwatch=clock.stopwatch, busy_seconds=lambda: others * clock.ms / 1e3
    )


def test_on_a_quiet_machine_the_median_is_the_latency() -> None:
    found = calibrated(1.0)
    assert (found.ms, found.noise) == (1.0, "")
    assert found.quiet.is_quiet


def test_interruptions_are_noise_and_then_a_low_quantile_is_used() -> None:
    found = calibrated(1.0, 1.2, 1.2, 1.2, (1.3, 4.0), 1.2, 1.2)
    assert found.noise.startswith("other work interrupted ")
    assert 1.0 <= found.ms < 1.2
    assert not found.quiet.is_quiet


def test_where_each_call_is_interrupted_the_time_on_a_core_is_used() -> None:
    found = calibrated((1.5, 4.0))
    assert (found.ms, found.noise) == (1.5, "other work interrupted 100% of the calls")


def test_busy_cores_are_noise_although_nothing_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.os, "cpu_count", lambda: 2)
    # What this process itself works is not other work; that is little in this test, in which a clock stands still.
    monkeypatch.setattr(module, "_own_seconds", lambda: 0.0)
    assert calibrated(1.0, others=0.4).noise == ""
    assert calibrated(1.0, others=1.0).noise == "other work took 50% of the cores"


def test_equal_calls_that_differ_are_noise() -> None:
    assert calibrated(*[1.0] * 40, *[1.5] * 40).noise.startswith("equal calls differed by ±")


def test_a_calibration_is_kept_for_its_threads_alone() -> None:
    assert known_calibration(threads=1, device="cpu") is None
    keep(QUIET, threads=1, device="cpu")
    assert known_calibration(threads=1, device="cpu") == QUIET
    assert known_calibration(threads=2, device="cpu") is None


@pytest.mark.parametrize(
    "content", ["{", "{}", '{"ms": -1.0, "noise": "", "measured": "now"}', '{"ms": "1"}']
)
def test_a_damaged_calibration_is_ignored(content: str) -> None:
    keep(QUIET, threads=1, device="cpu")
    folder = cache_folder()
    assert folder is not None
    (file,) = (folder / "latency").iterdir()
    file.write_text(content)
    assert known_calibration(threads=1, device="cpu") is None


def test_a_quiet_calibration_is_better_than_a_noisy_one_and_of_two_noisy_ones_the_faster() -> None:
    faster = Calibration(1.2, "noise", "now")
    assert better(None, NOISY) == NOISY
    assert better(QUIET, NOISY) == QUIET
    assert better(NOISY, QUIET) == QUIET
    assert better(NOISY, faster) == better(faster, NOISY) == faster


def test_a_search_uses_a_quiet_calibration_and_repeats_a_noisy_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([NOISY, QUIET])
    monkeypatch.setattr(module, "calibrate", lambda call, *, threads: next(found))
    assert make_reference(threads=1, device="cpu").quiet == NOISY.quiet
    assert make_reference(threads=1, device="cpu").quiet == QUIET.quiet
    # A third calibration would have no value left.
    assert make_reference(threads=1, device="cpu").quiet == QUIET.quiet


def test_without_a_cache_each_process_measures_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENAS_CACHE", "off")
    found = iter([QUIET, NOISY])
    monkeypatch.setattr(module, "calibrate", lambda call, *, threads: next(found))
    assert make_reference(threads=1, device="cpu").quiet == QUIET.quiet
    assert make_reference(threads=1, device="cpu").quiet == NOISY.quiet


def test_the_reference_network_is_the_same_each_time_and_leaves_random_numbers_alone() -> None:
    state = torch.get_rng_state()
    outputs = [reference_call()() for _ in range(2)]
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(outputs[0], outputs[1])  # type: ignore[arg-type]
    assert outputs[0].shape == (1, 36, 128)  # type: ignore[attr-defined]
    assert torch.isfinite(outputs[0]).all()  # type: ignore[arg-type, call-overload]
    assert float(outputs[0].std()) > 0.01  # type: ignore[attr-defined]
