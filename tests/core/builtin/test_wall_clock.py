from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import comb
from typing import Any

import pytest
import torch
from torch import nn

from denas_core.builtin.wall_clock import WallClock
from denas_core.contracts.probe import median_interval
from denas_core.contracts.space import SearchSpace
from denas_core.values.architecture import Architecture, Knob
from denas_core.values.batch import Batch, continuous_batch


class Clock:
    """A clock that stands still except in the calls that it makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ns = 0
        monkeypatch.setattr(time, "perf_counter_ns", lambda: self.now_ns)

    def call(self, *milliseconds: float) -> Callable[[], None]:
        """Return a call that takes these times in turn, again and again."""
        taken: Iterator[float] = (ms for _ in iter(int, 1) for ms in milliseconds)

        def call() -> None:
            self.now_ns += round(next(taken) * 1e6)

        return call


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def coverage(size: int, low: int, high: int) -> Fraction:
    """Return the probability that the median lies between the order statistics of these ranks.

    It does if at least `low` and fewer than `high` of `size` values are below it, each with probability one half.
    """
    return Fraction(sum(comb(size, below) for below in range(low, high)), 2**size)


@pytest.mark.parametrize(("size", "low", "high"), [(6, 1, 6), (30, 9, 22), (100, 40, 61), (200, 86, 115)])
def test_the_ends_of_the_interval_are_the_order_statistics_worked_out_by_hand(
    size: int, low: int, high: int
) -> None:
    values = [float((7 * i) % size + 1) for i in range(size)]
    assert sorted(values) == [float(rank) for rank in range(1, size + 1)]
    assert median_interval(values) == (low, high)


@pytest.mark.parametrize("size", range(6, 200))
def test_the_interval_covers_the_median_with_95_percent_and_is_not_much_wider(size: int) -> None:
    low, high = (int(end) for end in median_interval([float(rank) for rank in range(1, size + 1)]))
    assert coverage(size, low, high) >= Fraction(95, 100)
    assert low + high == size + 1
    if size > 10:
        assert coverage(size, low + 2, high - 2) < Fraction(95, 100)


def test_the_interval_of_too_few_values_is_their_range() -> None:
    assert median_interval([3.0]) == (3.0, 3.0)
    assert median_interval([3.0, 1.0, 2.0]) == (1.0, 3.0)


def test_a_steady_call_is_stable_after_the_fewest_rounds(clock: Clock) -> None:
    latency = WallClock(min_rounds=30, max_rounds=200).time(clock.call(2.5), clock.call(0.5))
    assert latency.as_dict() == {
        **{"median": 2.5, "low": 2.5, "high": 2.5, "verdict": "stable", "rounds": 30, "relative": 5.0}
    }


def test_a_call_that_jumps_is_unstable_after_the_most_rounds(clock: Clock) -> None:
    latency = WallClock(warmup=0, min_rounds=30, max_rounds=80).time(clock.call(1, 10), None)
    assert (latency.verdict, latency.rounds, latency.relative) == ("unstable", 80, None)
    assert (latency.low, latency.median, latency.high) == (1.0, 5.5, 10.0)


def test_rounds_go_on_until_the_interval_is_narrow(clock: Clock) -> None:
    # Of 10 rounds 5 take 2 ms, and none after them: the upper end is 1 ms once its rank is no more than n - 5. It is
    # ceil(n/2 + 0.98 sqrt(n)) + 1, which is 16 for 20 rounds and for 21.
    call = clock.call(*[2, 1] * 5, *[1] * 1000)
    latency = WallClock(warmup=0, min_rounds=6, max_rounds=500).time(call, None)
    assert (latency.rounds, latency.verdict) == (21, "stable")
    assert (latency.median, latency.high) == (1.0, 1.0)


def test_few_slow_rounds_do_not_move_the_median(clock: Clock) -> None:
    latency = WallClock(warmup=0).time(clock.call(*[1] * 9, 50), None)
    assert (latency.verdict, latency.median) == ("stable", 1.0)


def test_warm_up_calls_are_not_timed(clock: Clock) -> None:
    latency = WallClock(warmup=4).time(clock.call(*[100] * 4, *[1] * 30), clock.call(*[100] * 4, *[2] * 30))
    assert (latency.median, latency.high, latency.relative) == (1.0, 1.0, 0.5)


def test_the_ratio_to_the_reference_is_taken_round_by_round(clock: Clock) -> None:
    # The machine is at times four times slower: both calls are, and their ratio does not notice.
    latency = WallClock(warmup=0, precision=10.0).time(clock.call(3, 12, 3), clock.call(1, 4, 1))
    assert latency.relative == 3.0


def test_a_call_faster_than_the_clock_ticks_still_takes_time(clock: Clock) -> None:
    latency = WallClock().time(clock.call(0), clock.call(0))
    assert (latency.median, latency.relative) == (1e-6, 1.0)


@dataclasses.dataclass(kw_only=True)
class Linear(SearchSpace):
    """A linear layer of some width."""

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("width", (2, 4)),)

    def build(self, arch: Architecture, **kwargs: Any) -> nn.Module:
        return nn.Sequential(nn.Linear(3, int(arch["width"])), nn.Dropout(1.0))

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return continuous_batch((3,), size, seed=seed, kind=kind)


def test_what_is_timed_is_inference_of_one_batch_of_the_network() -> None:
    space = Linear()
    call = WallClock(batch_size=5).prepare(space, space.full(), seed=0, device="cpu")
    logits = call().logits["logits"]  # type: ignore[attr-defined]
    assert logits.shape == (5, 4)
    assert logits.is_inference()
    assert torch.count_nonzero(logits) == 20
    assert torch.equal(call().logits["logits"], logits)  # type: ignore[attr-defined]
