from __future__ import annotations

from fractions import Fraction
from math import comb, hypot

import pytest

from denas_core.timing.estimate import (
    PLACEMENT,
    UNKNOWN_SLOWDOWN,
    Block,
    Quiet,
    estimate,
    latency_of,
    median_interval,
    uninterrupted,
)
from denas_core.timing.stopwatch import Round


def block(network: float, reference: float | None = 1.0, *, waited: float = 0.0, rounds: int = 3) -> Block:
    """Return a block of equal rounds, each of which waited so many milliseconds more than it ran."""
    return Block(
        [Round(network + waited, waited)] * rounds,
        [] if reference is None else [Round(reference + waited, waited)] * rounds,
    )


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


def test_the_interval_covers_the_median_with_95_percent_and_is_not_much_wider() -> None:
    for size in range(6, 200):
        low, high = (int(end) for end in median_interval([float(rank) for rank in range(1, size + 1)]))
        assert coverage(size, low, high) >= Fraction(95, 100), size
        assert low + high == size + 1
        assert size <= 10 or coverage(size, low + 2, high - 2) < Fraction(95, 100), size


def test_the_interval_of_too_few_values_is_their_range() -> None:
    assert median_interval([3.0]) == (3.0, 3.0)
    assert median_interval([3.0, 1.0, 2.0]) == (1.0, 3.0)


def test_interrupted_rounds_and_those_after_an_interruption_are_left_out() -> None:
    rounds = [Round(1.0), Round(9.0, waited_ms=7.0), Round(1.5, is_warm=False), Round(1.1)]
    assert uninterrupted(rounds) == [1.0, 1.1]


def test_a_slower_machine_is_corrected_by_the_reference_and_leaves_half_the_correction_as_doubt() -> None:
    # Everything takes 1.04 times as long as when the machine is quiet, where the network takes 5 ms.
    latency = latency_of([block(5.2, 1.04)] * 6, Quiet(1.0), tolerance=0.03)
    assert latency.median == pytest.approx(5.0)
    assert latency.relative == pytest.approx(5.0)
    doubt = hypot(PLACEMENT, 0.04 / 1.04 / 2)
    assert (latency.low, latency.high) == (pytest.approx(5 * (1 - doubt)), pytest.approx(5 * (1 + doubt)))
    assert (latency.verdict, latency.reason) == ("stable", "")


def test_a_much_slower_machine_is_the_reason_of_an_unstable_latency() -> None:
    latency = latency_of([block(6.0, 1.2)] * 6, Quiet(1.0), tolerance=0.03)
    assert latency.median == pytest.approx(5.0)
    assert latency.verdict == "unstable"
    assert latency.reason == "this machine is 20% slower than when it is quiet"


def test_what_blocks_differ_by_is_in_the_interval_although_the_rounds_of_each_are_equal() -> None:
    blocks = [block(ms, rounds=50) for ms in (5.0, 5.5, 5.0, 5.5, 5.0, 5.5, 5.0, 5.5)]
    latency = latency_of(blocks, Quiet(1.0), tolerance=0.03)
    assert latency.low < 5.0 < 5.5 < latency.high
    assert (latency.verdict, latency.reason) == ("unstable", "its blocks of calls differ by ±5%")


def test_rounds_that_were_left_out_are_counted_and_do_not_move_the_median() -> None:
    blocks = [Block([Round(2.0), Round(30.0, 28.0), Round(2.0)], [Round(1.0)] * 3) for _ in range(6)]
    latency = latency_of(blocks, Quiet(1.0), tolerance=0.03)
    assert (latency.median, latency.rounds, latency.dropped) == (2.0, 12, 6)
    assert latency.verdict == "stable"


def test_where_all_rounds_are_interrupted_the_time_on_a_core_is_corrected_and_never_stable() -> None:
    # What the interruptions leave in the caches makes both 1.25 times slower.
    blocks = [block(50.0, 1.25, waited=100.0)] * 6
    latency = latency_of(blocks, Quiet(1.0), tolerance=0.5)
    assert latency.median == pytest.approx(40.0)
    assert latency.low <= 40 / 1.2 < 50 * 0.9 <= latency.high
    assert (latency.verdict, latency.rounds, latency.dropped) == ("unstable", 18, 0)
    assert latency.reason == "other work interrupted all of its 18 calls"


def test_where_all_rounds_are_interrupted_and_nothing_is_known_the_interval_is_wide() -> None:
    latency = latency_of([block(50.0, None, waited=100.0)] * 6, None, tolerance=0.5)
    assert (latency.median, latency.relative) == (50.0, None)
    assert latency.low <= 50 * (1 - UNKNOWN_SLOWDOWN)
    assert latency.verdict == "unstable"


def test_a_machine_that_was_never_quiet_gives_no_stable_latency() -> None:
    latency = latency_of([block(5.0)] * 6, Quiet(1.0, is_quiet=False), tolerance=0.03)
    assert latency.verdict == "unstable"
    assert latency.reason == "this machine was never seen quiet; run denas doctor when nothing else runs"


def test_too_few_blocks_are_the_reason() -> None:
    latency = latency_of([block(5.0)] * 4, Quiet(1.0), tolerance=0.03, seconds=2.0)
    assert (latency.verdict, latency.reason) == ("unstable", "only 12 calls fit in 2 s")


def test_most_rounds_interrupted_are_the_reason_where_the_others_are_not_enough() -> None:
    blocks = [Block([Round(2.0 + i / 5), *[Round(9.0, 7.0)] * 3], [Round(1.0)]) for i in range(7)]
    latency = latency_of(blocks, Quiet(1.0), tolerance=0.03)
    assert (latency.verdict, latency.reason) == ("unstable", "other work interrupted 21 of its 28 calls")


def test_a_block_without_a_reference_beside_it_says_nothing() -> None:
    blocks = [block(5.0), Block([Round(50.0)], [Round(30.0, 29.0)])]
    found = estimate(blocks, Quiet(1.0))
    assert (found.blocks, found.median) == (1, 5.0)
