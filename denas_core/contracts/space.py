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

    from denas_core.networks.pieces import Piece
    from denas_core.values.batch import Batch, BatchKind, Outputs
    from denas_core.values.latency import Latency
    from denas_core.values.preprocessing import Preprocessing
    from denas_core.values.views import WeightView

    from .original import Legacy, Recipe

Variant = Literal["full", "plain"]
"""``full``: the network as it is trained; ``plain``: the same network without residual connections."""


@dataclasses.dataclass(kw_only=True)
class SearchSpace(KnobSpace, ABC):
    """A set of networks, described by knobs.

    A subclass is a keyword-only dataclass whose fields are its options. It must define `knobs`, `build` and `batch`.
    Every other method has a default that suits a network of plain PyTorch layers with one input and one output. All
    methods must be pure: they take random numbers only from the generator or seed that they get, and keep no state.

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
    """Declarations of the metrics that `cost` or `latency_metrics` return in addition to those of the core."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Named sets of options. A user chooses one by its name after a colon, such as ``cv/vit:tiny``."""

    @abstractmethod
    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the network of `arch`. `load` sets its weights afterwards. This must work on the meta device.

        Args:
            arch: The architecture.
            head: A module that replaces the network's own head, for a task; None keeps the network's own.
            variant: See `Variant`.
        """

    @abstractmethod
    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` samples on the CPU, or, with ``kind="cost"``, on the meta device and without masks."""

    def bounded_metrics(self) -> tuple[str, ...]:
        """Return the metrics whose values always lie between those of `smallest` and `full`.

        A constraint outside that range is refused before the search starts.
        """
        return ("params", "flops")

    def cost(self, arch: Architecture) -> dict[str, float]:
        """Return the metrics that are known without running the network; by default the sums of those of its `pieces`.

        The keys are ``params``, ``trainable_params``, ``flops`` (of one sample; a multiply-add counts as two),
        ``size_mb`` and ``memory_mb``. Counts are integers. Override this method if the costs follow a formula, because
        a search computes many more costs than scores, and compare the formula with `counted_cost` in a test.

        Raises:
            Infeasible: the network is too large for torch to describe.
        """
        if "_costs_of_pieces" not in self.__dict__:
            from denas_core.networks.piece_costs import PieceCosts

            self.__dict__["_costs_of_pieces"] = PieceCosts(
                batch=lambda: self.batch(1, seed=0, kind="cost"),
                forward=self.forward,
                parts=self.parts,
                name=self.describe(),
            )
        cost: dict[str, float] = self.__dict__["_costs_of_pieces"].of(self.pieces(arch))
        return cost

    def counted_cost(self, arch: Architecture) -> dict[str, float]:
        """Return the metrics of `cost`, counted on the network on the meta device.

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

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return networks that, added up, are the network of `arch`; by default the whole network as one piece.

        The latency of a network is predicted from its operators, see ``docs/latency-model.md``. To read them from the
        whole network, or to count its cost there, takes tens of milliseconds. If the networks of a space share parts,
        such as layers of equal sizes, override this method, so that each part is read and counted once: a search then
        predicts thousands of networks a second.

        Operators and parameters of the pieces must add up to those of the network. The piece that needs the most memory
        for inputs and activations must need as much as the network, or else `cost` is overridden too.
        """
        from denas_core.networks.pieces import Piece

        return (Piece(key=arch.key, build=lambda: self.build(arch)),)

    def describe(self) -> str:
        """Return the phrase by which errors refer to a network of this space."""
        return f"a network of space {self.id!r} with options {self.options()}"

    def latency_metrics(self, latency: Latency, units: Mapping[str, float]) -> dict[str, Latency]:
        """Return the metrics that follow from a measured latency; by default only ``latency_ms``.

        A space can add metrics, such as the latency per second of audio. It declares them in `metrics`.

        Args:
            latency: The latency of one call.
            units: How much data one call processes, by unit, see `LatencyProbe.units`.
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
        """Give `model` its weights on the CPU, and return it. `build` made it, on any device.

        By default only fresh weights are available, see `initialise`.

        Raises:
            ConfigError: `weights` is ``inherited``, and the space has no checkpoint.
        """
        if weights == "inherited":
            raise ConfigError(f"space {self.id!r} has no checkpoint to inherit weights from; use 'fresh'")
        return self.initialise(model, seed=seed)

    def stream(self, model: nn.Module, arch: Architecture, *, seed: int) -> nn.Module | None:
        """Let `model` read the weights that it inherits while it runs, so that they may be larger than memory.

        Returns:
            `model`, a network of transformers, after `denas_core.pretrained.stream`; or None if this space cannot do
            that, as by default.
        """
        return None

    def reconstructs_weights(self, arch: Architecture) -> bool:
        """Return whether `reconstruct` changes the weights that the network of `arch` inherits; by default not."""
        return False

    def own_head(self) -> nn.Module | None:
        """Return the head of the checkpoint's network, for `build`; by default none.

        It is a head with which networks that inherit weights are of use without a training.
        """
        return None

    def reconstruct(self, model: nn.Module, arch: Architecture) -> nn.Module:
        """Fit the inherited weights of `model` to each other, and return it; by default they stay as they are.

        This is called once before a training or an export that begins with inherited weights. Scores see the weights as
        `load` returns them, because this may take longer than a score.
        """
        return model

    @property
    def inherits(self) -> bool:
        """Whether the space has a checkpoint. `load` can then give its weights, and training starts from them."""
        return False

    @property
    def tasks_from(self) -> str:
        """Distribution to suggest when no task is installed; empty if the space's own distribution has tasks."""
        return ""

    def assets(self) -> Mapping[str, Path]:
        """Return files, by name, that prepare the inputs of the space's checkpoint, such as ``tokenizer``."""
        return {}

    def preprocessing(self) -> Preprocessing | None:
        """Return how the inputs of networks that were trained for no task are made; None if it is not known."""
        return None

    def portable(self) -> Mapping[str, Any]:
        """Return options that give the same networks and keys on a machine that lacks the files of this one.

        They are stored with a trained model. By default they are the space's own options, which suits a space that
        reads no files.
        """
        return self.options()

    def initialise(self, model: nn.Module, *, seed: int) -> nn.Module:
        """Give `model` fresh weights on the CPU, and return it. By default each layer initialises itself."""
        from denas_core.networks.initialise import initialise

        return initialise(model, seed=seed)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Run `model` on `batch` and return its outputs.

        By default the model gets the inputs of the batch in their order. It returns logits, or a tuple of features and
        logits.
        """
        from denas_core.values.batch import Outputs

        out = model(*batch.inputs.values())
        features, logits = out if isinstance(out, tuple) else (out, out)
        return Outputs(features=features, logits={"logits": logits}, masks=batch.masks)

    def views(self, model: nn.Module) -> list[WeightView]:
        """Return views that say which role each weight of `model` has; by default by the types of its layers."""
        from denas_core.values.views import views_by_module

        return views_by_module(model)

    def block_names(self, model: nn.Module) -> Sequence[str]:
        """Return the names of the modules of `model` that are its blocks, in the order of the network.

        Some scores compare the input of a block with its output. By default, blocks are the items of sequences that
        contain other modules, such as residual blocks, transformer layers and cells, or, without such, those that
        are sequences of layers; see `blocks_by_module`.
        """
        from denas_core.networks.blocks import blocks_by_module

        return blocks_by_module(model)

    def residual_ends(self, model: nn.Module) -> Sequence[str]:
        """Return the names of the last weights of the residual bodies of `model`; by default none.

        While these weights are 0, each body returns 0, and its block returns its shortcut. A training begins like this
        with ``training.zero_residuals``; scores and latencies never do.
        """
        return ()

    @property
    def advises_zero_residuals(self) -> bool:
        """Whether a training from fresh weights begins with `residual_ends` at 0 unless its settings say otherwise."""
        return False

    def kinds(self) -> frozenset[str]:
        """Return the kinds of the weights of the largest network, such as ``conv`` or ``attention.q``."""
        import random

        import torch

        if "_kinds_once" not in self.__dict__:
            # The largest network is used because a smaller one may lack kinds that others have.
            arch = self.full() or self.sample(random.Random(0))
            with torch.device("meta"):
                views = self.views(self.build(arch))
            self.__dict__["_kinds_once"] = frozenset(view.kind for view in views)
        kinds: frozenset[str] = self.__dict__["_kinds_once"]
        return kinds

    def familiar(self, cost: Mapping[str, float]) -> tuple[str, Architecture] | None:
        """Return a network of this space that looks like a well-known one, with its name; by default none.

        Reports compare the network that a search has found with it, as it is what a user would take without a search.

        Args:
            cost: ``params`` and ``flops`` of the network that it is compared with; both should be of about equal size,
                see `denas_core.nearest_in_size`.

        Returns:
            The name with its article, such as ``a ResNet``, and the architecture; None if none is as large.
        """
        return None

    def unsuitable_scores(self) -> Mapping[str, str]:
        """Return the scores that do not suit these networks: a reason for the user by the name of the score.

        By default none. A combined score leaves such a component out with a notice, unless the user named it.
        """
        return {}

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return prefixes of parameter names by part of the network; by default none.

        `cost` then also returns the number of parameters of each part, as ``params_<part>``.
        """
        return {}

    @property
    def probe_samples(self) -> int:
        """Number of samples in the constant batch (``kind="ones"``) on which diversity and saliency run by default.

        One is enough if all constant samples of the space are equal. If they differ, as those of token models do,
        return the smallest number that ranks networks as a large number does.
        """
        return 1

    def reference_recipe(self) -> Recipe | None:
        """Return how the original DE-NAS scores this space, or None if it has no such space."""
        return None

    @classmethod
    def legacy(cls) -> Legacy | None:
        """Return how the original's configurations of this space are read, or None if it has no such space."""
        return None
