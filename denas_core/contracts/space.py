"""The search space contract: a space declares knobs and builds networks; everything else is written here, once."""

from __future__ import annotations

import dataclasses
import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from denas_core.errors import ConfigError, did_you_mean
from denas_core.seeding import canonical_json, digest
from denas_core.values.architecture import Architecture, Knob, Value

from .component import Component

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from denas_core.legacy import Legacy
    from denas_core.values.batch import Batch, BatchKind, Outputs
    from denas_core.values.latency import Latency
    from denas_core.values.views import WeightView

    from .original import Recipe

Variant = Literal["full", "plain"]
"""``full``: the network that would be trained; ``plain``: the same without residual connections."""


@dataclasses.dataclass(kw_only=True)
class SearchSpace(Component, ABC):
    """A set of networks, described by knobs.

    A subclass is a keyword-only dataclass whose fields are its options. It must define `knobs`, `build` and `batch`;
    every other method has a default that fits a network of plain PyTorch layers with one input and one output.
    Methods are pure: they draw from the generator or seed they are given and keep no state.
    """

    measured_metrics: ClassVar[tuple[str, ...]] = ("latency_ms",)
    """Names that `latency_metrics` returns."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Named sets of options, used as ``cv/vit:tiny``."""

    # -- what a space defines ------------------------------------------------------------------------------------------

    @abstractmethod
    def knobs(self) -> tuple[Knob, ...]:
        """Return the choices, parents before the knobs that depend on them. May depend on options."""

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

    def canonical(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return `values` with inactive knobs dropped, in the order of the knobs.

        A space overrides this to repair divisibility and to make the settings of isomorphic networks equal. It must be
        idempotent, and accept any combination of knob values.
        """
        return self._active(values)

    def fingerprint(self) -> str:
        """Return a text that changes whenever equal knob values mean another network; part of every key."""
        return canonical_json(self.options())

    def smallest(self) -> Architecture | None:
        """Return the architecture with the fewest parameters and FLOPs: by default, every knob's first value.

        None, for a space whose knobs have no such order, switches off the reachable range and relative budgets.
        """
        return self._extreme(0)

    def full(self) -> Architecture | None:
        """Return the architecture with the most parameters and FLOPs: by default, every knob's last value."""
        return self._extreme(-1)

    def bounded_metrics(self) -> tuple[str, ...]:
        """Return the metrics that `smallest` and `full` truly bound: a budget beyond them is proven out of reach."""
        return ("params", "flops")

    def cost(self, arch: Architecture) -> dict[str, float]:
        """Return the metrics known without running the network, by default counted on the meta device.

        Keys: ``params``, ``trainable_params``, ``flops`` (of one sample; a multiply-add is two), ``size_mb``,
        ``memory_mb``. Counts are integers.
        """
        from denas_core.networks.cost import count_cost

        return count_cost(self, arch)

    def latency_metrics(self, latency: Latency, units: Mapping[str, float]) -> dict[str, Latency]:
        """Return what a measured latency says, by metric; by default ``latency_ms`` alone.

        A space whose inputs have a duration adds ``rtf``: the latency by the ``audio_seconds`` of `units`.
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

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return prefixes of parameter names by part, for a parameter count of each; by default none."""
        return {}

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read an architecture from YAML or JSON: knob values, or a mapping that holds them under ``arch``.

        Args:
            text: The text.
            origin: What errors name as its source.
        """
        from denas_core.system.guarded_yaml import load_mapping

        document = load_mapping(text, origin=origin)
        inner = document.get("arch", document)
        if not isinstance(inner, dict):
            raise ConfigError(f"'arch' must be a mapping of knob values, not {inner!r} ({origin})")
        return self.architecture(inner, origin=origin)

    def format(self, arch: Architecture) -> str:
        """Return a one-line notation of `arch` that `parse` reads back."""
        return canonical_json(arch.as_dict())

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

    # -- what every space has ------------------------------------------------------------------------------------------

    def architecture(self, values: Mapping[str, Any], *, origin: str = "architecture") -> Architecture:
        """Check `values`, make them canonical and return the architecture.

        Raises:
            ConfigError: an unknown knob, a value that is no choice, or an active knob without a value.
        """
        knobs = {knob.name: knob for knob in self.knobs()}
        chosen: dict[str, Value] = {}
        for name, value in values.items():
            if name not in knobs:
                raise ConfigError(
                    f"space {self.id!r} has no knob {name!r:.42} ({origin}){did_you_mean(str(name), knobs)}"
                )
            choice = knobs[name].choice(value)
            if choice is None:
                raise ConfigError(
                    f"knob {name!r} of {self.id!r} cannot be {value!r} ({origin}); choose from {knobs[name].told()}"
                )
            chosen[name] = choice
        active = self._active(chosen)
        missing = [knob.name for knob in knobs.values() if knob.is_active(active) and knob.name not in active]
        if missing:
            raise ConfigError(f"knob {missing[0]!r} of {self.id!r} has no value ({origin})")
        return self.unchecked(self.canonical(active))

    def unchecked(self, canonical: Mapping[str, Value]) -> Architecture:
        """Return the architecture of values that are known to be canonical."""
        if "_fingerprint" not in self.__dict__:
            # Once a space: it may read a whole checkpoint, and every key needs it.
            self.__dict__["_fingerprint"] = self.fingerprint()
        return Architecture(
            self.id, canonical, digest([self.id, self.__dict__["_fingerprint"], dict(canonical)])
        )

    def size(self) -> int:
        """Return the number of settings of the knobs; more than the networks where `canonical` makes some equal."""
        knobs = self.knobs()

        def settings(knob: Knob) -> int:
            total = 0
            for value in knob.values:
                below = 1
                for child in knobs:
                    if child.when is not None and child.when[0] == knob.name and value in child.when[1]:
                        below *= settings(child)
                total += below
            return total

        size = 1
        for knob in knobs:
            if knob.when is None:
                size *= settings(knob)
        return size

    def sample(self, rng: random.Random) -> Architecture:
        """Return an architecture with every knob drawn uniformly."""
        return self._completed({}, rng)

    def neighbours(self, arch: Architecture) -> list[Architecture]:
        """Return every distinct architecture one knob away; knobs that become active take their middle value."""
        found: dict[str, Architecture] = {}
        for knob in self._known_knobs():
            if knob.name in arch.values:
                for value in knob.values:
                    other = self._completed({**arch.values, knob.name: value}, None)
                    found.setdefault(other.key, other)
        found.pop(arch.key, None)
        return list(found.values())

    def mutate(
        self,
        arch: Architecture,
        rng: random.Random,
        *,
        layer_probability: float = 0.2,
        network_probability: float = 0.4,
    ) -> Architecture:
        """Return another architecture: each knob redrawn with the probability of its kind, at least one changed.

        A redrawn knob takes another of its values. Where none is redrawn, the result is a uniform neighbour.
        """
        values = arch.as_dict()
        for knob in self.knobs():
            probability = network_probability if knob.layer is None else layer_probability
            if knob.name in arch.values and len(knob.values) > 1 and rng.random() < probability:
                values[knob.name] = rng.choice([v for v in knob.values if v != arch[knob.name]])
        child = self._completed(values, rng)
        if child.key == arch.key:
            child = rng.choice(self.neighbours(arch) or [arch])
        return child

    def crossover(self, first: Architecture, second: Architecture, rng: random.Random) -> Architecture:
        """Return a child that takes each knob from either parent with equal probability."""
        values: dict[str, Value] = {}
        for knob in self.knobs():
            holders = [parent for parent in (first, second) if knob.name in parent.values]
            if holders:
                values[knob.name] = rng.choice(holders)[knob.name]
        return self._completed(values, rng)

    def blend(self, arch: Architecture, target: Architecture, knobs: Sequence[str]) -> Architecture:
        """Return `arch` with the named knobs set as in `target`, where they exist."""
        values = arch.as_dict()
        values.update({name: target[name] for name in knobs if name in target.values})
        return self._completed(values, None)

    # ------------------------------------------------------------------------------------------------------------------

    def _known_knobs(self) -> tuple[Knob, ...]:
        # Once a space, as the fingerprint: every child of every operator needs them.
        if "_knobs_once" not in self.__dict__:
            self.__dict__["_knobs_once"] = self.knobs()
        known: tuple[Knob, ...] = self.__dict__["_knobs_once"]
        return known

    def _active(self, values: Mapping[str, Value]) -> dict[str, Value]:
        active: dict[str, Value] = {}
        for knob in self._known_knobs():
            if knob.name in values and knob.is_active(active):
                active[knob.name] = values[knob.name]
        return active

    def _completed(self, values: Mapping[str, Value], rng: random.Random | None) -> Architecture:
        complete: dict[str, Value] = {}
        for knob in self._known_knobs():
            if knob.is_active(complete):
                if knob.name in values:
                    complete[knob.name] = values[knob.name]
                else:
                    middle = knob.values[len(knob.values) // 2]
                    complete[knob.name] = middle if rng is None else rng.choice(knob.values)
        return self.unchecked(self.canonical(complete))

    def _extreme(self, index: int) -> Architecture:
        return self.unchecked(self.canonical({knob.name: knob.values[index] for knob in self.knobs()}))
