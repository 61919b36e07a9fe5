"""Search spaces of networks like an original transformers model, in other sizes and with weights of its checkpoint."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from denas_core import (
    Architecture,
    Batch,
    BatchKind,
    Counterpart,
    Knob,
    KnobValue,
    Outputs,
    Preprocessing,
    SearchSpace,
    Variant,
)
from denas_core.networks import token_lengths

from .calibrated import Calibrated, existing_data
from .checkpoint_options import OriginalOptions
from .importance import LEADING, MAGNITUDE
from .inheritance_options import InheritanceOptions

if TYPE_CHECKING:
    from torch import nn

    from denas_core import WeightView
    from denas_core.networks import Piece

    from .bounds import Bounds
    from .counting import Counts
    from .original import Dimensions, Original
    from .start import Start


@dataclasses.dataclass(kw_only=True)
class ResizedModels(InheritanceOptions, OriginalOptions, SearchSpace):
    """Networks like an original model, with other numbers of layers, heads and features.

    All layers of a network have the same sizes. Networks can inherit weights of the checkpoint: whole layers, heads,
    neurons and features. A subclass says in `open_start` what the original model is, and which sizes can be chosen.
    """

    location: ClassVar[str]
    """Name of the option that says where the checkpoint is; it may be empty."""

    def __post_init__(self) -> None:
        """Read the configuration and check the options against it.

        Raises:
            ConfigError: there is no such checkpoint or configuration, or networks like it cannot be made smaller.
            ValueError: options contradict each other or the checkpoint, or choices are out of order or range.
        """
        path = Path(self._reference).expanduser()
        if self._reference and path.exists():
            setattr(self, self.location, str(path.resolve()))
        self.calibration = existing_data(self.calibration) if self.calibration else ""
        self.__dict__["_start"] = self.open_start()
        self.start.check_options(self._reference)
        positions = self._original.positions
        self.seq_len, self.probe_tokens = token_lengths(self.seq_len, self.probe_tokens, positions=positions)

    @abstractmethod
    def open_start(self) -> Start:
        """Return the original model and the choices of sizes, as the options say. It is called once.

        Raises:
            ConfigError: there is no such checkpoint or configuration, or networks like it cannot be made smaller.
            ValueError: options contradict each other or the checkpoint, or choices are out of order or range.
        """

    @abstractmethod
    def contents(self) -> Mapping[str, Any]:
        """Return options that hold what was read from the checkpoint, for `portable`."""

    @property
    def start(self) -> Start:
        """The resolved options: the checkpoint, its network, and the choices of sizes."""
        return cast("Start", self.__dict__["_start"])

    @property
    def tasks_from(self) -> str:
        """The distribution with tasks for texts, or for images."""
        return self._original.family.modality.tasks_from

    def knobs(self) -> tuple[Knob, ...]:
        """Return knobs for layers, heads, hidden width (unless the heads determine it) and feed-forward width.

        A network with stages has a knob for the layers of each stage, and no others.
        """
        return self._bounds.knobs()

    def canonical(self, values: Mapping[str, KnobValue]) -> dict[str, KnobValue]:
        """Return `values` with the smallest choice of hidden width that gives the same width for this many heads."""
        active = super().canonical(values)
        if "hidden" in active and "heads" in active:
            active["hidden"] = self._bounds.least_hidden(int(active["heads"]), int(active["hidden"]))
        return active

    def smallest(self) -> Architecture:
        """Return the network with the fewest parameters and FLOPs."""
        return self.unchecked(self.canonical(self._bounds.least()))

    def inherited_facts(self) -> dict[str, Any]:
        """Return what decides which weights are inherited, for `fingerprint`; the weights are checked first.

        There are none if networks inherit no weights.
        """
        self.start.check_weights()
        if not self.start.ever_had_weights:
            return {}
        facts: dict[str, Any] = {"inherit": self.inherit}
        if self.inherit not in (LEADING, MAGNITUDE):
            facts["calibration"] = [self.calibration_samples, self.calibrated.digest()]
        return facts

    def dimensions(self, arch: Architecture) -> Dimensions:
        """Return the sizes of the network of `arch`."""
        return self._bounds.dimensions(arch.values)

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the network of `arch`, a stock transformers model; see `build_network` for a `head`.

        There is only one variant, because layers in transformers always have residual connections.
        """
        from .network import build_network

        return build_network(self._original, self._original.resized(self.dimensions(arch)), head=head)

    def cost(self, arch: Architecture) -> dict[str, float]:
        """Return the same as `counted_cost`, but count only networks of few layers for each set of widths.

        Raises:
            Infeasible: the network is too large for torch to describe.
        """
        from .counting import FEWEST, counted

        known: dict[tuple[int, ...], Counts] = self.__dict__.setdefault("_counts", {})
        wanted = self.dimensions(arch)
        depths = self._original.depths_of(wanted)
        if not self._original.is_uniform or min(depths.values()) < FEWEST:
            whole: dict[str, dict[str, float]] = self.__dict__.setdefault("_whole_costs", {})
            if arch.key not in whole:
                whole[arch.key] = self.counted_cost(arch)
            return dict(whole[arch.key])
        widths = (wanted.heads, wanted.hidden, wanted.intermediate)
        if widths not in known:
            known[widths] = counted(self, self._original, wanted)
        return known[widths].of(depths)

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return networks with few layers in each stack."""
        from .counting import pieces_of

        return pieces_of(self._original, self.dimensions(arch)) or super().pieces(arch)

    @property
    def inherits(self) -> bool:
        """Whether networks inherit weights from a checkpoint."""
        return self.start.has_weights

    def load(
        self,
        model: nn.Module,
        arch: Architecture,
        *,
        seed: int,
        weights: Literal["fresh", "inherited"] = "fresh",
    ) -> nn.Module:
        """Give `model` fresh weights, or inherited weights and a fresh head, on the CPU.

        Raises:
            ConfigError: there is no checkpoint with weights, or it is damaged.
        """
        if weights == "fresh" or not self.inherits:
            return super().load(model, arch, seed=seed, weights=weights)
        return self.calibrated.inheritance.give(
            model, self._original.resized(self.dimensions(arch)), seed=seed
        )

    def stream(self, model: nn.Module, arch: Architecture, *, seed: int) -> nn.Module | None:
        """Let `model` read its inherited weights while it runs; None without a checkpoint. Raises like `load`."""
        if not self.inherits:
            return None
        from .read_by_others import read_by_others

        config = self._original.resized(self.dimensions(arch))
        held = read_by_others(self, model)
        return self.calibrated.inheritance.give(model, config, seed=seed, streamed=True, held=held)

    def own_head(self) -> nn.Module | None:
        """Return the head with scores of tokens, if the checkpoint is a language model.

        Raises:
            ConfigError: it should be one by its configuration, and lacks the weights of these scores.
        """
        from .network import own_head

        head = own_head(self._original) if self.inherits else None
        if head is not None:
            self.calibrated.inheritance.check_token_head()
        return head

    def reconstruct(self, model: nn.Module, arch: Architecture) -> nn.Module:
        """Fit inherited weights to the outputs of the checkpoint, see `denas_hf.reconstruction`.

        Raises:
            ConfigError: the checkpoint is damaged, or the calibration data cannot be read.
        """
        if self.reconstructs_weights(arch):
            self.calibrated.reconstruct(model, self._original.resized(self.dimensions(arch)))
        return model

    def counterparts(
        self, model: nn.Module, arch: Architecture, *, teacher_space: SearchSpace, teacher_arch: Architecture
    ) -> Sequence[Counterpart]:
        """Return the blocks of `model`, and those of a teacher that is the whole network of the same checkpoint."""
        from .counterparts import counterparts_of

        if not isinstance(teacher_space, ResizedModels):
            return ()
        start, sizes = teacher_space.start, teacher_space.dimensions(teacher_arch)
        return counterparts_of(model, self.dimensions(arch), self.calibrated, self.start, start, sizes)

    def reconstructs_weights(self, arch: Architecture) -> bool:
        """Return whether inherited weights are fitted: those of smaller networks, by the option ``reconstructs``.

        Without this option, networks are not fitted whose layers alone are chosen.
        """
        full = self.full()
        by_default = bool(self.calibration) and self._original.has_readers
        wanted = by_default if self.reconstructs is None else self.reconstructs
        return self.inherits and wanted and (full is None or arch.key != full.key)

    @property
    def calibrated(self) -> Calibrated:
        """The checkpoint with its calibration batches, and the weights to inherit."""
        if "_calibrated" not in self.__dict__:
            self.__dict__["_calibrated"] = Calibrated(self, self.start, seconds=self.sound_seconds)
        return cast("Calibrated", self.__dict__["_calibrated"])

    def kept_features(self, arch: Architecture) -> tuple[int, ...]:
        """Return the hidden features of the checkpoint that the network of `arch` inherits, in its own order."""
        return self.calibrated.inheritance.kept_features(self._original.resized(self.dimensions(arch)))

    def initialise(self, model: nn.Module, *, seed: int) -> nn.Module:
        """Give `model` fresh weights on the CPU, drawn as in transformers."""
        from .weights import load_weights

        return load_weights(model, seed=seed)

    def assets(self) -> Mapping[str, Path]:
        """Return the checkpoint's tokenizer file, if it has one."""
        return self.start.assets()

    def preprocessing(self) -> Preprocessing | None:
        """Return how the inputs are made, if that is the same for all models of their kind."""
        return self._original.family.modality.preprocessing()

    def portable(self) -> Mapping[str, Any]:
        """Return options that hold what was read from the checkpoint instead of its location."""
        return {
            **self.options(),
            **self.contents(),
            self.location: "",
            "digest": self.start.digest() if self.start.ever_had_weights else "",
            "allow_pickle": False,
            "calibration": "",
            "calibration_digest": self.calibrated.digest(),
        }

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` samples: texts of `seq_len` tokens (`probe_tokens` for kind ``ones``), images or sounds."""
        from .modality import Sample

        tokens = cast("int", self.probe_tokens if kind == "ones" else self.seq_len)
        original = self._original
        return original.family.modality.batch(
            original.config,
            Sample(tokens=tokens, positions=original.positions, seconds=self.sound_seconds),
            size,
            seed=seed,
            kind=kind,
            token_types=original.token_types,
        )

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return the last hidden states and the logits; without a head both are the same, see `outputs_of`."""
        from .outputs import outputs_of

        return outputs_of(self._original, model, batch)

    def trim_vocabulary(self, directory: Path, *, tokens: int) -> dict[str, int]:
        """Write a copy of the checkpoint with so many of its tokens, see `denas_hf.vocabulary`."""
        from .vocabulary.trimming import trim_vocabulary

        start = self.start
        return trim_vocabulary(
            start.original, start.pretrained, directory, tokens=tokens, data=self.calibrated.data
        )

    def share_of_tokens(self) -> float:
        """Return the share of the checkpoint's parameters that are rows for tokens."""
        from .vocabulary.rows import share_of_rows

        return share_of_rows(self._original)

    def views(self, model: nn.Module) -> list[WeightView]:
        """Return the weights of embeddings (layer 0), of each layer, and of the head."""
        from .weight_views import views_of

        return views_of(self._original, model)

    def prefix(self, model: nn.Module) -> str:
        """Return the prefix of the names of the base model's parameters in `model`."""
        from .network import base_of

        return base_of(model)[0]

    @property
    def sound_seconds(self) -> float:
        """Length of a sound, for models of sounds."""
        return 1.0

    @property
    def _reference(self) -> str:
        return cast("str", getattr(self, self.location))

    @property
    def _original(self) -> Original:
        return self.start.original

    @property
    def _bounds(self) -> Bounds:
        return self.start.bounds
