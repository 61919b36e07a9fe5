from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from denas_core.builtin.wall_clock import WallClock
from denas_core.contracts.probe import TimedProbe
from denas_core.errors import ConfigError
from denas_core.timing.estimate import Quiet
from denas_core.timing.reference import Reference
from denas_core.values.latency import Latency

from .clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(TimedProbe, "stopwatch", clock.stopwatch)
    return clock


def reference(clock: Clock, *steps: float | tuple[float, float], quiet: float = 0.5) -> Reference:
    return Reference(clock.call(*steps), Quiet(quiet))


def counted(call: Callable[[], object], counts: list[int]) -> Callable[[], object]:
    """Return the call, which counts how often it was made."""

    def count() -> object:
        counts[0] += 1
        return call()

    return count


def test_a_steady_call_is_stable_after_about_the_fewest_rounds(clock: Clock) -> None:
    counts = [0]
    latency = WallClock().time(counted(clock.call(2.5), counts), reference(clock, 0.5))
    assert (latency.median, latency.relative, latency.verdict) == (2.5, 5.0, "stable")
    assert (latency.low, latency.high) == (pytest.approx(2.475), pytest.approx(2.525))
    assert (latency.dropped, latency.reason) == (0, "")
    assert 30 <= latency.rounds <= 36
    assert counts[0] <= 5 + 36 + 7
    assert clock.rested_ms == 0


def test_the_same_network_has_the_same_latency_on_a_machine_that_other_work_slows_down(clock: Clock) -> None:
    found = [
        WallClock().time(clock.call(4.0 * slower), reference(clock, 0.5 * slower)) for slower in (1.0, 1.3)
    ]
    assert found[0].median == pytest.approx(found[1].median)
    assert [latency.verdict for latency in found] == ["stable", "unstable"]
    assert found[1].reason == "this machine is 30% slower than when it is quiet"


def test_calls_that_other_work_interrupts_are_left_out(clock: Clock) -> None:
    network = clock.call(*[2.0] * 9, (3.0, 12.0))
    latency = WallClock(warmup=0).time(network, reference(clock, 0.5))
    assert (latency.median, latency.verdict) == (2.0, "stable")
    assert latency.rounds >= 30
    assert latency.dropped > 0


def test_a_call_after_an_interruption_is_left_out_since_its_caches_are_cold(clock: Clock) -> None:
    # After each interruption the next call takes longer, although nothing interrupts it.
    network = clock.call(*[2.0] * 3, (3.0, 12.0), 3.0)
    latency = WallClock(warmup=0).time(network, reference(clock, 0.5))
    assert (latency.median, latency.high) == (2.0, pytest.approx(2.02))


def test_a_short_call_that_is_interrupted_waits_for_a_whole_time_slice(clock: Clock) -> None:
    WallClock(warmup=0).time(clock.call(2.0, 2.0, (2.0, 8.0)), reference(clock, 0.5))
    assert clock.rested_ms > 0


def test_where_each_call_is_interrupted_the_measurement_ends_after_the_fewest_rounds(clock: Clock) -> None:
    latency = WallClock().time(clock.call((50.0, 150.0)), reference(clock, (0.6, 1.2)))
    assert (latency.rounds, latency.verdict) == (30, "unstable")
    assert latency.reason == "other work interrupted all of its 30 calls"
    assert latency.low < 50 / 1.2 < latency.high


def test_a_call_that_jumps_is_unstable_after_the_most_rounds(clock: Clock) -> None:
    latency = WallClock(warmup=0, min_rounds=30, max_rounds=80).time(clock.call(*[1] * 8, *[10] * 7), None)
    assert (latency.verdict, latency.rounds, latency.relative) == ("unstable", 80, None)
    assert latency.low < 1.01
    assert latency.high > 9.9
    assert latency.reason.startswith("its blocks of calls differ by ±")


def test_rounds_go_on_until_the_interval_is_narrow(clock: Clock) -> None:
    latency = WallClock(warmup=0, max_rounds=2000).time(clock.call(*[2] * 21, *[1] * 10_000), None)
    assert (latency.verdict, latency.median) == ("stable", 1.0)
    assert 42 < latency.rounds < 200


def test_few_slow_rounds_do_not_move_the_median(clock: Clock) -> None:
    latency = WallClock(warmup=0).time(clock.call(*[1] * 12, 50), None)
    assert (latency.verdict, latency.median) == ("stable", 1.0)


def test_warm_up_calls_are_not_timed(clock: Clock) -> None:
    network = clock.call(*[100] * 4, *[1] * 1000)
    latency = WallClock(warmup=4).time(network, clock.call(*[100] * 4, *[2] * 1000))
    assert (latency.median, latency.high, latency.relative) == (1.0, pytest.approx(1.01), 0.5)


def test_another_function_than_the_reference_gives_a_ratio_and_corrects_nothing(clock: Clock) -> None:
    latency = WallClock().time(clock.call(3.0), clock.call(1.5))
    assert (latency.median, latency.relative) == (3.0, 2.0)


def test_a_call_faster_than_the_clock_ticks_still_takes_time(clock: Clock) -> None:
    latency = WallClock().time(clock.call(0), clock.call(0))
    assert (latency.median, latency.relative) == (1e-6, 1.0)


@pytest.mark.parametrize("milliseconds", [150.0, 900.0, 10_000.0])
def test_a_slow_network_is_measured_within_the_limit(clock: Clock, milliseconds: float) -> None:
    latency = WallClock(seconds=4.0).time(clock.call(milliseconds), reference(clock, 0.5))
    # The call that runs when the limit is reached is the last one.
    assert clock.ms <= 4000 + 2 * milliseconds
    assert latency.rounds >= 1
    assert latency.median == pytest.approx(milliseconds)
    if milliseconds > 700:
        assert latency.verdict == "unstable"
        assert latency.reason == f"only {latency.rounds} calls fit in 4 s"


def test_fewer_rounds_at_most_than_at_least_are_refused() -> None:
    with pytest.raises(ConfigError, match="min_rounds 40 is more than max_rounds 20"):
        WallClock(min_rounds=40, max_rounds=20)


def test_a_latency_of_an_older_run_has_no_reason() -> None:
    latency = Latency(median=1.0, low=1.0, high=1.0, verdict="stable", rounds=30)
    assert (latency.dropped, latency.reason) == (0, "")
    assert dataclasses.asdict(latency) == latency.as_dict()
