"""The search space contract: a space declares knobs and builds networks."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from denas_core.errors import ConfigError
from denas_core.values.architecture import Architecture
from denas_core.values.metrics import ArchitectureMetric

from .knob_space import KnobSpace

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from denas_core.values.batch import Batch, BatchKind, Outputs
    from denas_core.values.latency import Latency
    from denas_core.values.views import WeightView

    from .original import Legacy, Recipe

Variant = Literal["full", "plain"]
"""``full``: the network that would be trained; ``plain``: the same without residual connections."""


@dataclasses.dataclass(kw_only=True)
class SearchSpace(KnobSpace, ABC):
    """A set of networks, described by knobs.

    A subclass is a keyword-only dataclass whose fields are its options. It must define `knobs`, `build` and `batch`;
    every other method has a default that fits a network of plain PyTorch layers with one input and one output.
    Methods are pure: they draw from the generator or seed they are given and keep no state.

    A complete search space:

    >>> import dataclasses
    >>> import denas_core
    >>> @dataclasses.dataclass(kw_only=True)
    ... class TwoLayers(denas_core.SearchSpace):
    ...     inputs: int = denas_core.option(10, "Numbers of a sample", at_least=1)
    ...
    ...     def knobs(self):
    ...         return (denas_core.Knob("width", (4, 8, 16)),)
    ...
    ...     def build(self, arch, *, head=None, variant="full"):
    ...         from torch import nn
    ...
    ...         last = nn.Linear(arch["width"], 2) if head is None else head
    ...         return nn.Sequential(nn.Linear(self.inputs, arch["width"]), nn.ReLU(), last)
    ...
    ...     def batch(self, size, *, seed, kind="noise"):
    ...         return denas_core.continuous_batch((self.inputs,), size, seed=seed, kind=kind)
    >>> space = TwoLayers(inputs=5)
    >>> arch = space.architecture({"width": 8})
    >>> space.cost(arch)["params"]
    66
    """

    metrics: ClassVar[tuple[ArchitectureMetric, ...]] = ()
    """Declarations of metrics that `cost` or `latency_metrics` return beside those of the core."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Named sets of options, used as ``cv/vit:tiny``."""

    @abstractmethod
    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the structure of `arch`; its weights mean nothing before `load`. Must work on the meta device.

        Args:
            head: Replaces the network's own head, for a task.
            variant: See `Variant`.
        """

    @abstractmethod
    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` samples on the CPU; ``kind="cost"`` ones on the meta device, without masks."""

    def bounded_metrics(self) -> tuple[str, ...]:
        """Return the metrics that `smallest` and `full` truly bound: a budget beyond them is proven out of reach."""
        return ("params", "flops")

    def cost(self, arch: Architecture) -> dict[str, float]:
        """Return the metrics known without running the network, by default counted on the meta device.

        Keys: ``params``, ``trainable_params``, ``flops`` (of one sample; a multiply-add is two), ``size_mb``,
        ``memory_mb``. Counts are integers. A space whose costs follow a formula overrides this, since a search asks for
        many more costs than scores; its tests compare with `counted_cost`.
        """
        return self.counted_cost(arch)

    def counted_cost(self, arch: Architecture) -> dict[str, float]:
        """Return the metrics of `cost`, counted on the network itself, on the meta device.

        Raises:
            Infeasible: the network is too large for torch to describe.
        """
        from denas_core.networks.cost import count_cost

        return count_cost(
            lambda: self.build(arch),
            batch=lambda: self.batch(1, seed=0, kind="cost"),
            forward=self.forward,
            parts=self.parts,
            name=self.describe(),
        )

    def describe(self) -> str:
        """Return what errors call a network of this space."""
        return f"a network of space {self.id!r} with options {self.options()}"

    def latency_metrics(self, latency: Latency, units: Mapping[str, float]) -> dict[str, Latency]:
        """Return what a measured latency says, by metric; by default ``latency_ms`` alone.

        A space adds the metrics that follow from it, such as the latency by what a call works through, and declares
        them in `metrics`.

        Args:
            latency: The latency of one call.
            units: What one call works through, by unit, see `LatencyProbe.units`.
        """
        return {"latency_ms": latency}

    def load(
        self,
        model: nn.Module,
        arch: Architecture,
        *,
        seed: int,
        weights: Literal["fresh", "inherited"] = "fresh",
    ) -> nn.Module:
        """Give `model`, built by `build` on any device, its weights on the CPU, and return it.

        By default fresh ones alone, see `initialise`.

        Raises:
            ConfigError: ``inherited`` is asked of a space that has no checkpoint.
        """
        if weights == "inherited":
            raise ConfigError(f"space {self.id!r} has no checkpoint to inherit weights from; use 'fresh'")
        return self.initialise(model, seed=seed)

    @property
    def inherits(self) -> bool:
        """Whether the space has a checkpoint: `load` can give its weights, and training begins from them."""
        return False

    @property
    def tasks_from(self) -> str:
        """The distribution that has tasks for these networks, told to who lacks one; empty for the space's own."""
        return ""

    def assets(self) -> Mapping[str, Path]:
        """Return files that inputs of the space's checkpoint are made with, by name, such as ``tokenizer``."""
        return {}

    def portable(self) -> Mapping[str, Any]:
        """Return options with which the space makes networks of the same keys where no file of this machine is.

        Trained models carry these. By default its own options, which fits a space without files.
        """
        return self.options()

    def initialise(self, model: nn.Module, *, seed: int) -> nn.Module:
        """Give `model` fresh weights on the CPU, and return it. By default every layer's own initialisation."""
        from denas_core.networks.initialise import initialise

        return initialise(model, seed=seed)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Run `model` on `batch`. By default the only input goes in, and logits (and features, if a tuple) come out."""
        from denas_core.values.batch import Outputs

        out = model(*batch.inputs.values())
        features, logits = out if isinstance(out, tuple) else (out, out)
        return Outputs(features=features, logits={"logits": logits}, masks=batch.masks)

    def views(self, model: nn.Module) -> list[WeightView]:
        """Return where the weights of `model` are, by role. By default from the types of its layers."""
        from denas_core.values.views import views_by_module

        return views_by_module(model)

    def block_names(self, model: nn.Module) -> Sequence[str]:
        """Return the names of the modules of `model` that are its blocks, in the order of the network.

        Scores compare what goes into a block with what comes out. By default the items of its sequences that are built
        from other modules, such as residual blocks, transformer layers and cells; see `blocks_by_module`.
        """
        from denas_core.networks.blocks import blocks_by_module

        return blocks_by_module(model)

    def kinds(self) -> frozenset[str]:
        """Return the kinds of the weights of the largest network, such as ``conv`` or ``attention.q``."""
        import random

        import torch

        if "_kinds_once" not in self.__dict__:
            # The largest network: a smaller one may lack what others of the space have.
            arch = self.full() or self.sample(random.Random(0))
            with torch.device("meta"):
                views = self.views(self.build(arch))
            self.__dict__["_kinds_once"] = frozenset(view.kind for view in views)
        kinds: frozenset[str] = self.__dict__["_kinds_once"]
        return kinds

    def unsuitable_scores(self) -> Mapping[str, str]:
        """Return the scores that do not fit these networks, by name, each with the reason for people.

        A combined score leaves out such a component, and says so, unless the user named it. By default none.
        """
        return {}

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return prefixes of parameter names by part, for a parameter count of each; by default none."""
        return {}

    @property
    def probe_samples(self) -> int:
        """The samples of the constant batch (``kind="ones"``) that diversity and saliency see by default.

        One, which fits a space whose constant samples are all equal. Where they differ, as those of token models do,
        the fewest that rank like many.
        """
        return 1

    def reference_recipe(self) -> Recipe | None:
        """Return how the original DE-NAS scores this space, or None where it has no such space."""
        return None

    @classmethod
    def legacy(cls) -> Legacy | None:
        """Return how the original's configurations of this space are read, or None where it has no such space."""
        return None
