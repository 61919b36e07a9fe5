"""The search space ``adapters/hf``: adapters over a frozen checkpoint of transformers."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from denas_core import (
    Architecture,
    Batch,
    BatchKind,
    Knob,
    Outputs,
    Preprocessing,
    SearchSpace,
    Variant,
    canonical_json,
    nearest_in_size,
    option,
)
from denas_hf import Auto, CheckpointOptions, open_checkpoint

from .choices import Choices
from .kinds import IA3, Kind, LoRA
from .presets import PRESETS

if TYPE_CHECKING:
    from torch import nn

    from denas_core import WeightView
    from denas_core.networks import Piece

    from .projections import Projection

UNCHANGED = "adapters change no output before they are trained"


@dataclasses.dataclass(kw_only=True)
class Adapters(CheckpointOptions, SearchSpace):
    """Which projections of a frozen checkpoint of Hugging Face get an adapter, and of which size.

    Only the adapters and the head of a task are trained. Every network begins as the checkpoint itself. The adapters
    are those of peft.
    """

    kind: Literal["lora", "ia3"] = option(
        "lora", "Kind of the adapters: lora adds a product of two matrices to a weight, ia3 scales features"
    )
    projections: list[str] = option(
        [],
        "Projections that can have an adapter, of query, key, value, output, up and down; empty: all of them",
    )
    per: Literal["block", "projection"] = option(
        "block", "What has a size of its own: attention and feed-forward layer, or each projection"
    )
    layers_together: int = option(1, "Consecutive layers that have the same sizes", at_least=1)
    ranks: list[int] = option([0, 2, 4, 8, 16], "Choices of the rank of lora; 0 means no adapter")
    scale: float = option(2.0, "Factor of the product of lora, alpha / rank in peft", above=0)
    dropout: float = option(
        0.0, "Share of features that lora does not see in a training step", at_least=0, at_most=0.9
    )
    lacking: list[str] = option([], "Parameters that the checkpoint lacks, in the options of a trained model")

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = PRESETS

    def __post_init__(self) -> None:
        """Open the checkpoint, find its projections, and check the options against it.

        Raises:
            ConfigError: there is no such checkpoint, or its family is not known.
            ValueError: it has no weights, or an option does not fit.
        """
        auto = open_checkpoint(self)
        if self.model and not auto.inherits:
            raise ValueError(f"{self.model!r} has no weights, and adapters need a trained network")
        self.__dict__["_auto"] = auto
        self.__dict__["_choices"] = Choices.of(
            self._all_projections(),
            names=self.projections,
            sizes=(0, 1) if self.kind == "ia3" else self.ranks,
            per=self.per,
            together=self.layers_together,
        )

    @property
    def auto(self) -> Auto:
        """The space whose largest network is the checkpoint."""
        return cast("Auto", self.__dict__["_auto"])

    @property
    def adapter_kind(self) -> Kind:
        """The kind of the adapters."""
        return IA3() if self.kind == "ia3" else LoRA(scale=self.scale, dropout=self.dropout)

    @property
    def tasks_from(self) -> str:
        """The distribution with tasks for texts, or for images."""
        return self.auto.tasks_from

    def knobs(self) -> tuple[Knob, ...]:
        """Return a knob for each size that can be chosen."""
        return self._choices.knobs

    def adapters(self, arch: Architecture) -> dict[Projection, int]:
        """Return the projections that have an adapter in the network of `arch`, with its size."""
        return self._choices.adapters(arch.values)

    def uniform(self, size: int) -> Architecture:
        """Return the architecture in which all adapters have one size.

        Raises:
            ConfigError: it is not one of the choices.
        """
        return self.architecture({knob.name: size for knob in self.knobs()})

    def familiar(self, cost: Mapping[str, float]) -> tuple[str, Architecture] | None:
        """Return the architecture with adapters of one size everywhere, which users take who do not search."""
        sizes = self.knobs()[0].values[1:]
        found = nearest_in_size(self, [self.uniform(int(size)) for size in sizes], cost)
        return None if found is None else ("adapters of one size", found)

    def bounded_metrics(self) -> tuple[str, ...]:
        """Return the metrics whose values lie between those of the networks with the fewest and the most adapters."""
        return (*super().bounded_metrics(), "trainable_params")

    def fingerprint(self) -> str:
        """Return the checkpoint, and the properties that all networks share."""
        names = ("kind", "projections", "per", "layers_together", "scale", "dropout")
        own = {name: getattr(self, name) for name in names}
        return canonical_json({**own, "checkpoint": self.auto.fingerprint()})

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the network of the checkpoint with the adapters of `arch`; only these and the head are trainable.

        Raises:
            ConfigError: peft is not installed.
        """
        return self._built(self.adapters(arch), head=head)

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return the network without adapters, and networks with a single adapter each."""
        from denas_core.networks import Piece

        examples: dict[tuple[Hashable, int], tuple[Projection, int]] = {}
        counts: Counter[tuple[Hashable, int]] = Counter()
        for projection, size in self.adapters(arch).items():
            key: tuple[Hashable, int] = (self._choices.place_of(projection), size)
            examples.setdefault(key, (projection, size))
            counts[key] += 1
        pieces = [Piece(key="plain", build=lambda: self._built({}), count=1 - counts.total())]
        for key, count in counts.items():
            build = functools.partial(self._built, dict([examples[key]]))
            pieces.append(Piece(key=key, build=build, count=count))
        return pieces

    @property
    def inherits(self) -> bool:
        """Whether the checkpoint is there."""
        return self.auto.inherits

    def load(
        self,
        model: nn.Module,
        arch: Architecture,
        *,
        seed: int,
        weights: Literal["fresh", "inherited"] = "fresh",
    ) -> nn.Module:
        """Give `model` the weights of the checkpoint or fresh ones, a fresh head, and adapters that change nothing.

        Raises:
            ConfigError: there is no checkpoint with weights, or it is damaged.
        """
        from .adapting import begin_adapters, without_adapters

        with without_adapters(model):
            self.auto.load(model, self._full, seed=seed, weights=weights)
        begin_adapters(model, self.adapter_kind, seed=seed)
        return model

    def initialise(self, model: nn.Module, *, seed: int) -> nn.Module:
        """Give `model` fresh weights, and adapters that change nothing."""
        from .adapting import begin_adapters, without_adapters

        with without_adapters(model):
            self.auto.initialise(model, seed=seed)
        begin_adapters(model, self.adapter_kind, seed=seed)
        return model

    def assets(self) -> Mapping[str, Path]:
        """Return the checkpoint's tokenizer file, if it has one."""
        return self.auto.assets()

    def preprocessing(self) -> Preprocessing | None:
        """Return how the inputs are made, if that is the same for all models of their kind."""
        return self.auto.preprocessing()

    def portable(self) -> Mapping[str, Any]:
        """Return options that hold the configuration instead of its location."""
        kept = self.auto.portable()
        own = {name: kept[name] for name in ("model", "config", "digest", "allow_pickle")}
        return {**self.options(), **own, "lacking": self._fresh}

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` samples for the checkpoint."""
        return self.auto.batch(size, seed=seed, kind=kind)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return the last hidden states and the logits; without a head both are the same."""
        return self.auto.forward(model, batch)

    def views(self, model: nn.Module) -> list[WeightView]:
        """Return the weights of the checkpoint, those of the adapters, and those of the head."""
        from .weight_views import views_of

        return views_of(self.auto, model, self.adapter_kind)

    def unsuitable_scores(self) -> Mapping[str, str]:
        """Return the components of the DE-Score that look at what networks compute before they are trained."""
        names = ("naswot", "entropy", "depth-width", "jacob-cov", "saliency")
        classic = ("expressivity", "complexity", "diversity", "snip")
        return dict.fromkeys((*names, *classic), UNCHANGED)

    @property
    def _choices(self) -> Choices:
        return cast("Choices", self.__dict__["_choices"])

    @property
    def _full(self) -> Architecture:
        full = self.auto.full()
        assert full is not None
        return full

    @property
    def _fresh(self) -> list[str]:
        """Parameters of the base model that the checkpoint lacks."""
        return sorted(self.auto.start.pretrained.missing) if self.inherits else self.lacking

    def _all_projections(self) -> tuple[Projection, ...]:
        import torch

        from .projections import projections_of

        with torch.device("meta"):
            base = self.auto.build(self._full)
        return projections_of(base, self.auto.views(base))

    def _built(self, chosen: Mapping[Projection, int], *, head: nn.Module | None = None) -> nn.Module:
        from .adapting import adapt

        network = self.auto.build(self._full, head=head)
        return adapt(network, self.adapter_kind, chosen, fresh=self._fresh)
