"""Blocks of rounds of a network and of the reference network, in random order, with few interruptions."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

from .estimate import FEWEST_BLOCKS, Block, Quiet, estimate, uninterrupted
from .stopwatch import Round, Stopwatch

NETWORK_ROUNDS = 6
"""Rounds of the network in one block, if they are short."""

REFERENCE_ROUNDS = 3
BLOCK_MS = 60.0
"""Blocks have fewer rounds if those would take longer, so that there are several blocks within the limit."""

COLD_MS = 50.0
"""The call before the first round of a block warms the caches up. Calls longer than this do without it."""

REST_SECONDS = 0.01
RESTS = 2
"""How often a block waits for a moment without interruption before it begins."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """When to stop.

    Attributes:
        min_rounds: Rounds without interruption that are enough if the interval is narrow.
        max_rounds: Rounds at most, with those that were interrupted.
        precision: Half-width of a narrow interval, relative to the median.
        seconds: Limit of a measurement. The call that runs when it is reached is the last one.
    """

    min_rounds: int
    max_rounds: int
    precision: float
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Gathered:
    """The blocks of a measurement, and whether its time limit ended it."""

    blocks: list[Block]
    is_cut: bool


def gather(
    watch: Stopwatch,
    call: Callable[[], object],
    reference: Callable[[], object] | None,
    plan: Plan,
    quiet: Quiet | None,
    *,
    start: float,
) -> Gathered:
    """Time blocks until the interval is narrow enough, or a limit is reached.

    Args:
        watch: What times calls.
        call: Runs the network.
        reference: Runs the reference network; None without one.
        plan: When to stop.
        quiet: The reference network's own latency; None if it is not known.
        start: When the measurement began, by `watch`.
    """
    blocks: list[Block] = []
    order = random.Random()
    deadline = start + plan.seconds
    timed, size = 0, 1
    while True:
        block = Block()
        parts = [(call, size, block.network)]
        if reference is not None:
            parts.append((reference, REFERENCE_ROUNDS, block.reference))
        order.shuffle(parts)
        for function, rounds, found in parts:
            # The network has at least one round, however slow it is.
            until = deadline if timed or function is reference else None
            _time_in_a_row(watch, function, min(rounds, plan.max_rounds - timed), found, until)
        blocks.append(block)
        timed += len(block.network)
        if block.network:
            size = max(1, min(NETWORK_ROUNDS, int(BLOCK_MS / block.network[-1].ms)))
        if watch.now() >= deadline:
            return Gathered(blocks, is_cut=True)
        if timed >= plan.max_rounds or _is_enough(blocks, plan, quiet):
            return Gathered(blocks, is_cut=False)


def _time_in_a_row(
    watch: Stopwatch,
    call: Callable[[], object],
    rounds: int,
    found: list[Round],
    deadline: float | None,
) -> None:
    """Add rounds to `found`; after an interruption of a call that can do without, the rest of them is left out."""
    is_warm = True
    can_do_without = True
    for attempt in range(RESTS):
        if deadline is not None and watch.now() >= deadline:
            return
        first = watch.time(call)
        is_warm = can_do_without = not first.is_interrupted
        if first.ms > COLD_MS:
            # A long call is a round itself. No rest saves it from an interruption.
            found.append(dataclasses.replace(first, is_warm=True))
            rounds -= 1
            break
        if is_warm:
            break
        if attempt < RESTS - 1:
            watch.rest(REST_SECONDS)
    for _ in range(rounds):
        if deadline is not None and watch.now() >= deadline:
            return
        next_ = dataclasses.replace(watch.time(call), is_warm=is_warm)
        found.append(next_)
        is_warm = not next_.is_interrupted
        if can_do_without and not is_warm:
            return


def _is_enough(blocks: list[Block], plan: Plan, quiet: Quiet | None) -> bool:
    kept = sum(len(uninterrupted(block.network)) for block in blocks)
    if not kept:
        # Where each call is interrupted, more of them say no more.
        return sum(len(block.network) for block in blocks) >= plan.min_rounds
    found = estimate(blocks, quiet)
    return kept >= plan.min_rounds and found.blocks >= FEWEST_BLOCKS and found.spread <= plan.precision
