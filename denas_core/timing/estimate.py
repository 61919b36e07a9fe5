"""A latency from rounds: what the rounds without interruption say, scaled to the machine when it is quiet."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterable, Sequence

from denas_core.values.latency import Latency

from .stopwatch import Round

# Standard normal quantile of a two-sided 95 % interval.
_Z = 1.96
FEWEST_BLOCKS = 6
"""The smallest number of blocks whose range covers their median with 95 %."""

PLACEMENT = 0.01
"""Half-width, relative to the median, for what only a new process shows, such as where a network lies in memory."""

UNKNOWN_SLOWDOWN = 0.3
"""Half-width where other work slows the network down and nothing says by how much."""


@dataclasses.dataclass(frozen=True, slots=True)
class Quiet:
    """The reference network's own latency on this machine.

    Attributes:
        ms: Milliseconds.
        is_quiet: Whether nothing else ran when this was measured.
    """

    ms: float
    is_quiet: bool = True


@dataclasses.dataclass(slots=True)
class Block:
    """Rounds in a row: of the network, and of the reference network just before or after them."""

    network: list[Round] = dataclasses.field(default_factory=list)
    reference: list[Round] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Estimate:
    """What blocks say about a latency.

    Attributes:
        median: Milliseconds, on this machine when it is quiet if its reference latency is known.
        low: Lower end of a 95 % interval that covers what blocks differ by.
        high: Upper end.
        blocks: Number of blocks that have uninterrupted rounds.
        slowdown: How much slower the reference network is than when the machine is quiet; 1 if that is not known.
        relative: Median ratio to the reference network; None without one.
        is_interrupted: Whether no block has uninterrupted rounds, so that interrupted ones had to be used.
    """

    median: float
    low: float
    high: float
    blocks: int
    slowdown: float
    relative: float | None
    is_interrupted: bool = False

    @property
    def spread(self) -> float:
        """Half-width of the interval, relative to the median."""
        return (self.high - self.low) / 2 / self.median

    @property
    def doubt(self) -> float:
        """Half-width, relative to the median, of what the correction for other work may be wrong by.

        A network slows down by more or less than the reference does: by half of the correction, or by all of it if
        rounds were interrupted. docs/latency.md has the measurements.
        """
        share = abs(self.slowdown - 1) / max(self.slowdown, 1)
        return share if self.is_interrupted else share / 2


def estimate(blocks: Sequence[Block], quiet: Quiet | None) -> Estimate:
    """Return what blocks say about the network, of which there is at least one round."""
    found = _from_uninterrupted(blocks, quiet)
    return found if found is not None else _from_interrupted(blocks, quiet)


def latency_of(
    blocks: Sequence[Block], quiet: Quiet | None, *, tolerance: float, seconds: float | None = None
) -> Latency:
    """Return the latency that blocks say, with a verdict and the reason of an unstable one.

    Args:
        blocks: At least one block with a round of the network.
        quiet: The reference network's own latency; None if it is not known.
        tolerance: Largest half-width of a stable interval, relative to the median.
        seconds: The limit that ended the measurement; None if another reason ended it.
    """
    found = estimate(blocks, quiet)
    timed = sum(len(block.network) for block in blocks)
    kept = timed if found.is_interrupted else sum(len(uninterrupted(block.network)) for block in blocks)
    is_scaled = quiet is not None and found.relative is not None
    never_quiet = quiet is not None and not quiet.is_quiet
    doubt = UNKNOWN_SLOWDOWN if never_quiet or (found.is_interrupted and not is_scaled) else found.doubt
    wider = math.hypot(doubt, PLACEMENT)
    low, high = found.low * max(1 - wider, 0), found.high * (1 + wider)
    reason = ""
    if found.is_interrupted:
        reason = f"other work interrupted all of its {timed} calls"
    elif found.blocks < FEWEST_BLOCKS or (high - low) / 2 > tolerance * found.median:
        if kept < timed / 2:
            reason = f"other work interrupted {timed - kept} of its {timed} calls"
        elif never_quiet:
            reason = "this machine was never seen quiet; run denas doctor when nothing else runs"
        elif found.blocks < FEWEST_BLOCKS:
            limit = f" fit in {seconds:g} s" if seconds is not None else " were timed"
            reason = f"only {timed} calls{limit}"
        elif found.spread + PLACEMENT > tolerance:
            reason = f"its blocks of calls differ by ±{found.spread:.0%}"
        else:
            slower = found.slowdown - 1
            reason = f"this machine is {abs(slower):.0%} {'slower' if slower > 0 else 'faster'} than when it is quiet"
    return Latency(
        median=found.median,
        low=low,
        high=high,
        verdict="unstable" if reason else "stable",
        rounds=kept,
        relative=found.relative,
        dropped=timed - kept,
        reason=reason,
    )


def uninterrupted(rounds: Iterable[Round]) -> list[float]:
    """Return the milliseconds of the rounds that were not interrupted, and do not follow an interrupted call."""
    return [round_.ms for round_ in rounds if round_.is_warm and not round_.is_interrupted]


def lower_quartile(values: Sequence[float]) -> float:
    """Return the lower quartile: what delays a call beyond its interruptions makes it longer and never shorter."""
    return statistics.quantiles(values, n=4, method="inclusive")[0] if len(values) > 1 else values[0]


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return a 95 % confidence interval of the median that holds for any distribution.

    The ends are the order statistics with the ranks n/2 -+ 1.96 sqrt(n)/2, rounded outwards, because the number of
    values below the median has a binomial distribution (Conover, Practical Nonparametric Statistics, section 3.2).
    """
    ordered = sorted(values)
    spread = _Z * math.sqrt(len(ordered)) / 2
    low = max(math.floor(len(ordered) / 2 - spread), 1)
    high = min(math.ceil(len(ordered) / 2 + spread) + 1, len(ordered))
    return ordered[low - 1], ordered[high - 1]


def _from_uninterrupted(blocks: Sequence[Block], quiet: Quiet | None) -> Estimate | None:
    has_reference = any(block.reference for block in blocks)
    network: list[float] = []
    reference: list[float] = []
    for block in blocks:
        own, other = uninterrupted(block.network), uninterrupted(block.reference)
        if own and (other or not has_reference):
            network.append(lower_quartile(own))
            reference.append(lower_quartile(other) if other else 1.0)
    if not network:
        return None
    ratios = [one / other for one, other in zip(network, reference, strict=True)]
    is_scaled = has_reference and quiet is not None
    values = [ratio * quiet.ms for ratio in ratios] if is_scaled and quiet is not None else network
    low, high = median_interval(values)
    return Estimate(
        median=statistics.median(values),
        low=low,
        high=high,
        blocks=len(values),
        slowdown=statistics.median(reference) / quiet.ms if is_scaled and quiet is not None else 1.0,
        relative=statistics.median(ratios) if has_reference else None,
    )


def _from_interrupted(blocks: Sequence[Block], quiet: Quiet | None) -> Estimate:
    """Return an estimate from the time in which the thread had a core.

    What interruptions leave in the caches makes it longer. The mean of the reference, interrupted alike, says by how
    much, about.
    """
    values = [statistics.median(r.own_ms for r in block.network) for block in blocks if block.network]
    reference = [round_.own_ms for block in blocks for round_ in block.reference]
    low, high = median_interval(values)
    median = statistics.median(values)
    slowdown = statistics.fmean(reference) / quiet.ms if reference and quiet is not None else 1.0
    return Estimate(
        median=median / slowdown,
        low=low / slowdown,
        high=high / slowdown,
        blocks=len(values),
        slowdown=slowdown,
        relative=median / statistics.fmean(reference) if reference else None,
        is_interrupted=True,
    )
