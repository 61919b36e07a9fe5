"""The latency probe contract, and a base class for probes that time a call with the wall clock of this process."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from denas_core.errors import ConfigError
from denas_core.system.threads import pinned_threads
from denas_core.timing.estimate import latency_of
from denas_core.timing.reference import Reference, make_reference
from denas_core.timing.rounds import Plan, gather
from denas_core.timing.stopwatch import Stopwatch
from denas_core.timing.tail import P90, THROUGHPUT, tail_metrics
from denas_core.values.latency import Latency
from denas_core.values.metrics import ArchitectureMetric

from .component import Component, option

if TYPE_CHECKING:
    from denas_core.values.architecture import Architecture

    from .operator_timer import OperatorTimer
    from .space import SearchSpace


@dataclasses.dataclass(kw_only=True)
class LatencyProbe(Component, ABC):
    """A way to measure latency on a target.

    A subclass is a keyword-only dataclass whose fields are its options. It must define `prepare` and `time`.

    A complete probe, which reads latency from a simulator instead of a clock:

    >>> import dataclasses
    >>> from denas_core import Latency, LatencyProbe, option
    >>> from denas_core.testing import SampleMLP
    >>> @dataclasses.dataclass(kw_only=True)
    ... class Simulator(LatencyProbe):
    ...     flops_per_ms: float = option(1e6, "Speed of the simulated device", above=0)
    ...
    ...     def prepare(self, space, arch, *, seed, device):
    ...         return lambda: space.cost(arch)["flops"] / self.flops_per_ms
    ...
    ...     def time(self, call, reference):
    ...         ms = call()
    ...         return Latency(median=ms, low=ms, high=ms, verdict="stable", rounds=1)
    >>> probe, space = Simulator(flops_per_ms=1000), SampleMLP()
    >>> call = probe.prepare(space, space.smallest(), seed=0, device="cpu")
    >>> probe.time(call, reference=None).median == space.cost(space.smallest())["flops"] / 1000
    True
    """

    metrics: ClassVar[tuple[ArchitectureMetric, ...]] = ()
    """Declarations of the metrics that `other_metrics` returns. Each has ``is_measured=True``."""

    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    """Devices that the probe can time networks on. The checks of a probe use the first one that this machine has."""

    def units(self, space: SearchSpace) -> Mapping[str, float]:
        """Return how much data one call processes, by unit, see `Batch.units`; by default, nothing is known."""
        return {}

    def other_metrics(
        self, call: Callable[[], object], reference: Callable[[], object] | None
    ) -> Mapping[str, Latency]:
        """Return the metrics that the probe declares, measured on `call`; by default none.

        This is called after `time`, with the same arguments. Each value is a median with its confidence interval, in
        the unit of the metric.
        """
        return {}

    def prepare_reference(self, space: SearchSpace, *, seed: int, device: str) -> Callable[[], object] | None:
        """Return a function that runs the network that `time` compares with; None if there is none.

        It is called once for all networks of a search. By default, this is the smallest network of the space.
        """
        smallest = space.smallest()
        return None if smallest is None else self.prepare(space, smallest, seed=seed, device=device)

    def operator_timer(self) -> OperatorTimer | None:
        """Return what times single operators in the runtime of the probe; None if that is PyTorch.

        Models of latency are made of such times, see docs/latency-model.md.
        """
        return None

    @abstractmethod
    def prepare(
        self, space: SearchSpace, arch: Architecture, *, seed: int, device: str
    ) -> Callable[[], object]:
        """Return a function that runs `arch` once on the target, so that `time` can time it."""

    def prepare_export(
        self, artefact: Path, space: SearchSpace, *, seed: int, device: str
    ) -> Callable[[], object] | None:
        """Return a function that runs an exported file once on the target, like `prepare`; None if it cannot be run.

        Args:
            artefact: The path that `Exporter.write` returned.
            space: The space of the exported network.
            seed: Seed of the inputs.
            device: Where it runs.
        """
        return None

    @abstractmethod
    def time(self, call: Callable[[], object], reference: Callable[[], object] | None) -> Latency:
        """Time `call`, in alternation with `reference`.

        Args:
            call: The function that `prepare` returned.
            reference: What `prepare_reference` returned: it runs a fixed network, which shows how fast the machine is
                at the moment; None if there is none.
        """


@dataclasses.dataclass(kw_only=True)
class TimedProbe(LatencyProbe):
    """Times a call in this process so that the result does not depend on what else runs on the machine.

    Blocks of calls alternate with blocks of a small reference network, the same for all spaces. Calls that other work
    interrupted are left out. The latency is the ratio to the reference times the reference's own latency on this
    machine when it is quiet, which is measured once. Where the interval stays too wide, the verdict is *unstable*, with
    a reason. docs/latency.md describes and justifies this. A subclass defines `prepare`.
    """

    stopwatch: ClassVar[Callable[[int], Stopwatch]] = Stopwatch
    """Makes what times calls of a number of threads."""

    batch_size: int = option(1, "Samples of one call", at_least=1, at_most=65536)
    threads: int = option(1, "Threads of one call", at_least=1, at_most=1024)
    warmup: int = option(5, "Calls before timing starts", at_least=0, at_most=1000)
    min_rounds: int = option(
        30, "Timed calls at least, without those that were interrupted", at_least=6, at_most=100_000
    )
    max_rounds: int = option(200, "Timed calls at most", at_least=6, at_most=100_000)
    precision: float = option(
        0.03, "Half-width of the interval, relative to the median, at which timing ends", above=0
    )
    tolerance: float = option(
        0.1, "Half-width of the interval, relative to the median, above which a latency is unstable", above=0
    )
    seconds: float = option(
        10.0, "Seconds of one measurement at most; the call that runs then is the last", above=0
    )

    more: bool = option(False, "Also measure the metrics of `more_metrics`, for each measured candidate")

    more_metrics: ClassVar[tuple[ArchitectureMetric, ...]] = (P90, THROUGHPUT)
    """Metrics that the probe declares and measures with the option `more`."""

    def __post_init__(self) -> None:
        if self.precision > self.tolerance:
            raise ConfigError(f"precision {self.precision:g} is more than tolerance {self.tolerance:g}")
        if self.min_rounds > self.max_rounds:
            raise ConfigError(f"min_rounds {self.min_rounds} is more than max_rounds {self.max_rounds}")
        if self.more:
            # What a probe declares belongs to its class, but for these.
            self.__dict__["metrics"] = (*type(self).metrics, *self.more_metrics)

    def units(self, space: SearchSpace) -> Mapping[str, float]:
        """Return how much data one batch holds, by unit."""
        return space.batch(self.batch_size, seed=0).units

    def prepare_reference(self, space: SearchSpace, *, seed: int, device: str) -> Callable[[], object] | None:
        """Return a fixed network of PyTorch, which is the same for all spaces, with its own latency on this machine."""
        return make_reference(threads=self.threads, device=device)

    def other_metrics(
        self, call: Callable[[], object], reference: Callable[[], object] | None
    ) -> Mapping[str, Latency]:
        """Return the 90th percentile and the throughput if the option `more` is on.

        The call is timed again for them.
        """
        if not self.more:
            return {}
        with pinned_threads(self.threads), type(self).stopwatch(self.threads) as watch:
            return tail_metrics(
                lambda: watch.time(call).own_ms, batch_size=self.batch_size, tolerance=self.tolerance
            )

    def time(self, call: Callable[[], object], reference: Callable[[], object] | None) -> Latency:
        """Return the latency of `call` with its confidence interval.

        Args:
            call: The function that `prepare` returned.
            reference: What `prepare_reference` returned. With another function, or None, the latency is that of the
                machine at the moment.
        """
        plan = Plan(self.min_rounds, self.max_rounds, self.precision, self.seconds)
        quiet = reference.quiet if isinstance(reference, Reference) else None
        watch = type(self).stopwatch(self.threads)
        start = watch.now()
        with pinned_threads(self.threads):
            for _ in range(self.warmup):
                if watch.now() >= start + self.seconds / 2:
                    break
                call()
                if reference is not None:
                    reference()
            with watch:
                found = gather(watch, call, reference, plan, quiet, start=start)
        seconds = self.seconds if found.is_cut else None
        return latency_of(found.blocks, quiet, tolerance=self.tolerance, seconds=seconds)
