"""A candidate: one architecture as scores see it, its passes run on demand and shared."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from denas_core.isolation.guard import as_before_the_call
from denas_core.values.architecture import Architecture
from denas_core.values.passes import joined_passes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.passes.inputs import Subject
    from denas_core.passes.seal import Seal
    from denas_core.values.batch import Batch
    from denas_core.values.passes import PassSpec, Trace
    from denas_core.values.views import WeightView

    from .space import SearchSpace


class Candidate:
    """One architecture under evaluation.

    Attributes:
        space: The space of the architecture.
        arch: The architecture.
        seed: The run's seed, from which every seed of a pass is derived.
        device: ``cpu`` or ``cuda``.
        passes: The passes that its scores will ask for, as far as they are known: those that can run as one do.
        pass_seconds: Wall-clock seconds of each pass that has run.
    """

    def __init__(
        self,
        space: SearchSpace,
        arch: Architecture,
        *,
        seed: int = 0,
        device: str = "cpu",
        passes: Iterable[PassSpec] = (),
    ) -> None:
        self.space = space
        self.arch = arch
        self.seed = seed
        self.device = device
        self.passes = tuple(passes)
        self.pass_seconds: dict[PassSpec, float] = {}
        self._plan = joined_passes(self.passes)
        self._traces: dict[PassSpec, Trace] = {}
        self._networks: dict[tuple[str, tuple[str, ...], str, int], nn.Module] = {}
        self._views: list[WeightView] | None = None
        self._seal: Seal | None = None
        self._is_running = False
        self._given = (space, arch, seed, device, self.passes)

    def trace(self, spec: PassSpec) -> Trace:
        """Return the trace of a pass, or of one that covers it, run at the first call.

        Raises:
            ScoreFailed: the network cannot do the pass, or ran out of memory.
        """
        covering = [known for known in (*self._traces, *self._plan) if known.covers(spec)]
        # One that has run, if there is one, else the one of the plan.
        spec = covering[0] if covering else spec
        if spec not in self._traces:
            from denas_core.passes.runner import run_pass

            start = time.perf_counter()
            with self._as_the_core():
                self._traces[spec] = run_pass(self._subject(spec), spec)
            self.pass_seconds[spec] = time.perf_counter() - start
            self._sealed().watch_trace(self._traces[spec])
        return self._traces[spec]

    def network(self, spec: PassSpec) -> nn.Module:
        """Return the network that a pass runs, on the CPU; other passes share it, so leave it as it is."""
        key = (spec.weights, spec.drawn, spec.variant, spec.repeat)
        if key not in self._networks:
            from .inputs import load_network

            with self._as_the_core():
                self._networks[key] = load_network(self.space, self.arch, spec, seed=self.seed)
        if not self._is_running:
            # Handed to a score, which may change it; scores that look at traces alone cost nothing here.
            self._sealed().watch_network(self._networks[key])
        return self._networks[key]

    def weights(self, spec: PassSpec) -> dict[str, Tensor]:
        """Return the parameters and buffers that a pass runs with, by name, on the device and in its precision."""
        from .inputs import weights_of

        return weights_of(self.network(spec), spec, device=self.device)

    def batch(self, spec: PassSpec) -> Batch:
        """Return the inputs of a pass, which are the same for every candidate of a run.

        Raises:
            ScoreFailed: the pass adds noise, and the space has no continuous input.
        """
        from .inputs import batch_of

        return batch_of(self.space, spec, seed=self.seed, device=self.device)

    def views(self) -> list[WeightView]:
        """Return where the weights are, by role."""
        if self._views is None:
            import torch

            built = [network for (_, _, variant, _), network in self._networks.items() if variant == "full"]
            with torch.device("meta"):
                self._views = self.space.views(built[0] if built else self.space.build(self.arch))
        return list(self._views)

    def changed(self) -> str:
        """Return what a score has changed of what all scores share, such as ``the network``; empty if nothing."""
        given = (self.space, self.arch, self.seed, self.device, self.passes)
        if any(now is not before for now, before in zip(given, self._given, strict=True)):
            return "the candidate"
        return "" if self._seal is None else self._seal.broken()

    def cost(self) -> dict[str, float]:
        """Return parameters, FLOPs and memory, see `SearchSpace.cost`."""
        return self.space.cost(self.arch)

    @contextlib.contextmanager
    def _as_the_core(self) -> Iterator[None]:
        # Shared by all scores: the settings of the one that asks first do not count.
        before, self._is_running = self._is_running, True
        try:
            with as_before_the_call():
                yield
        finally:
            self._is_running = before

    def _subject(self, spec: PassSpec) -> Subject:
        from denas_core.passes.inputs import Subject

        statistics = None
        if spec.perturbation and spec.norm == "batch":
            # A change of the input must not change what it is normalised by.
            statistics = self.trace(dataclasses.replace(spec, perturbation=0.0).forward()).statistics
        return Subject(
            network=lambda: self.network(spec),
            weights=lambda: self.weights(spec),
            batch=lambda: self.batch(spec),
            forward=self.space.forward,
            views=self.views,
            blocks=lambda: self.space.block_names(self.network(spec)),
            device=self.device,
            seed=self.seed,
            statistics=statistics,
        )

    def _sealed(self) -> Seal:
        if self._seal is None:
            from denas_core.passes.seal import Seal

            self._seal = Seal()
        return self._seal
