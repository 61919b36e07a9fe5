"""The metrics of a timed call beside its median."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from denas_core.builtin.wall_clock import WallClock
from denas_core.launch import search
from denas_core.timing.tail import ROUNDS, quantile_interval, tail_metrics


def test_the_interval_of_a_quantile_is_made_of_the_ranks_worked_out_by_hand() -> None:
    ordered = [float(rank) for rank in range(1, ROUNDS + 1)]
    # n = 60, q = 0.9: nq = 54, 1.96 sqrt(60 * 0.9 * 0.1) = 4.55, so the ranks are 49 and 60.
    assert quantile_interval(ordered, 0.9) == (49.0, 54.0, 60.0)
    # q = 0.5: nq = 30, 1.96 sqrt(15) = 7.59, so the ranks are 22 and 39.
    assert quantile_interval(ordered, 0.5) == (22.0, 30.5, 39.0)


def test_the_interval_of_the_90th_percentile_holds_it_in_95_of_100_samples() -> None:
    rng = random.Random(0)
    held = 0
    for _ in range(2000):
        low, _, high = quantile_interval(sorted(rng.expovariate(1) for _ in range(ROUNDS)), 0.9)
        held += low <= 2.302585 <= high  # ln 10
    assert held / 2000 >= 0.94


def test_times_become_milliseconds_and_samples_a_second() -> None:
    times = iter([2.0] * 50 + [8.0] * 10)
    found = tail_metrics(lambda: next(times), batch_size=4, tolerance=0.03)
    assert found["latency_p90_ms"].median == 8.0
    assert (found["latency_p90_ms"].low, found["latency_p90_ms"].high) == (2.0, 8.0)
    assert found["latency_p90_ms"].verdict == "unstable"
    # 4 samples in 2 ms.
    assert found["throughput"].median == 2000.0
    assert found["throughput"].verdict == "stable"


def test_they_are_declared_and_measured_only_where_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0]
    monkeypatch.setattr(time, "perf_counter_ns", lambda: now[0])

    def call() -> None:
        now[0] += 3_000_000

    plain, more = WallClock(), WallClock(more=True, batch_size=6)
    assert (plain.metrics, dict(plain.other_metrics(call, None))) == ((), {})
    assert {metric.name for metric in more.metrics} == {"latency_p90_ms", "throughput", "peak_memory_mb"}
    assert WallClock().metrics == ()
    found = more.other_metrics(call, None)
    assert found.keys() == {metric.name for metric in more.metrics}
    assert found["throughput"].median == pytest.approx(2000.0)
    assert found["latency_p90_ms"].median == pytest.approx(3.0)


def test_a_search_has_them_as_a_bound_and_as_an_objective(tmp_path: Path) -> None:
    result = search(
        {"name": "cv/cnn", "image_size": 16, "max_layers": 1},
        score="scores/params",
        probe={"name": "builtin/wall-clock", "more": True, "min_rounds": 6, "max_rounds": 6},
        constraints=["peak_memory_mb<=100"],
        objectives=["score", "throughput"],
        budget=2,
        device="cpu",
        out=tmp_path / "run",
    )
    assert result.best is not None
    metrics = result.best.evaluation.metrics
    assert 0 < metrics["peak_memory_mb"] <= 100
    assert metrics["throughput"] > 0
    assert metrics["latency_p90_ms"] > 0
