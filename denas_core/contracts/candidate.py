"""A candidate: one architecture as scores see it. Its passes run when a score asks for them, and scores share them."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterable, Iterator, Mapping
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

    from .scoring_data import ScoringData
    from .space import SearchSpace


class Candidate:
    """One architecture under evaluation.

    Attributes:
        space: The space of the architecture.
        arch: The architecture.
        seed: The run's seed. The seeds of all passes are derived from it.
        device: ``cpu`` or ``cuda``.
        passes: The passes that scores will ask for, if they are known. Passes that can be joined then run as one.
        data: The user's data, whose batches replace noise; None for noise.
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
        data: ScoringData | None = None,
    ) -> None:
        self.space = space
        self.arch = arch
        self.seed = seed
        self.device = device
        self.passes = tuple(passes)
        self.data = data
        self.pass_seconds: dict[PassSpec, float] = {}
        self._plan = joined_passes(self.passes)
        self._traces: dict[PassSpec, Trace] = {}
        self._networks: dict[tuple[str, tuple[str, ...], str, int], nn.Module] = {}
        self._views: list[WeightView] | None = None
        self._seal: Seal | None = None
        self._is_running = False
        self._given = (space, arch, seed, device, self.passes, data)

    def trace(self, spec: PassSpec) -> Trace:
        """Return the trace of a pass, or of a larger pass that covers it. The pass runs at the first call.

        Raises:
            ScoreFailed: the network cannot run the pass, or memory ran out.
        """
        covering = [known for known in (*self._traces, *self._plan) if known.covers(spec)]
        # A pass that has already run comes first, then one that is planned.
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
        """Return the network of a pass, on the CPU. Other passes share it, so it must not be changed."""
        key = (spec.weights, spec.drawn, spec.variant, spec.repeat)
        if key not in self._networks:
            from .inputs import load_network

            with self._as_the_core():
                self._networks[key] = load_network(
                    self.space, self.arch, spec, seed=self.seed, data=self.data
                )
        if not self._is_running:
            # A score gets the network and could change it. Scores that only read traces do not pay for this check.
            self._sealed().watch_network(self._networks[key])
        return self._networks[key]

    def weights(self, spec: PassSpec) -> dict[str, Tensor]:
        """Return the parameters and buffers of a pass by name, on the device and in the precision of the pass."""
        from .inputs import weights_of

        return weights_of(self.network(spec), spec, device=self.device)

    def each_weight(self, spec: PassSpec) -> Mapping[str, Tensor]:
        """Return the parameters and buffers of a pass like `weights`; inherited ones are read at each access.

        Networks that do not fit into memory can then be scored by their weights, if their space can stream them.
        """
        if spec.weights == "inherited" and self.data is None:
            import torch

            from denas_core.pretrained.streaming import stored_weights

            with torch.device("meta"):
                structure = self._build()
            streamed = self.space.stream(structure, self.arch, seed=self.seed)
            if streamed is not None:
                return stored_weights(streamed)
        return self.weights(spec)

    def batch(self, spec: PassSpec) -> Batch:
        """Return the inputs of a pass. They are the same for every candidate of a run.

        Raises:
            ScoreFailed: the pass adds noise, but the space has no continuous input.
        """
        from .inputs import batch_of

        return batch_of(self.space, spec, seed=self.seed, device=self.device, data=self.data)

    def views(self) -> list[WeightView]:
        """Return the views of the network's weights, which say where each weight is and what role it has."""
        if self._views is None:
            import torch

            built = [network for (_, _, variant, _), network in self._networks.items() if variant == "full"]
            with torch.device("meta"):
                network = built[0] if built else self._build()
                self._views = self.space.views(network)
        return list(self._views)

    def changed(self) -> str:
        """Return what a score has changed although all scores share it, such as ``the network``, or an empty string."""
        given = (self.space, self.arch, self.seed, self.device, self.passes, self.data)
        if any(now is not before for now, before in zip(given, self._given, strict=True)):
            return "the candidate"
        return "" if self._seal is None else self._seal.broken()

    def cost(self) -> dict[str, float]:
        """Return parameters, FLOPs and memory, see `SearchSpace.cost`."""
        return self.space.cost(self.arch)

    @contextlib.contextmanager
    def _as_the_core(self) -> Iterator[None]:
        # All scores share the result, so it must not depend on torch settings of the score that asks first.
        before, self._is_running = self._is_running, True
        try:
            with as_before_the_call():
                yield
        finally:
            self._is_running = before

    def _build(self) -> nn.Module:
        return self.space.build(self.arch) if self.data is None else self.data.build(self.arch)

    def _subject(self, spec: PassSpec) -> Subject:
        from denas_core.passes.inputs import Subject

        from .inputs import loss_of

        losses = None
        if self.data is not None and spec.readout == "cross entropy" and spec.inputs == "noise":
            losses = loss_of(self.data, spec, seed=self.seed, device=self.device)
        statistics = None
        if spec.perturbation and spec.norm == "batch":
            # The perturbed input is normalised with the statistics of the unperturbed batch.
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
            losses=losses,
        )

    def _sealed(self) -> Seal:
        if self._seal is None:
            from denas_core.passes.seal import Seal

            self._seal = Seal()
        return self._seal
