"""The base class of the spaces of speech recognisers, which differ only in their encoder."""

from __future__ import annotations

import dataclasses
import itertools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from denas_core import (
    Architecture,
    ArchitectureMetric,
    Batch,
    BatchKind,
    Knob,
    KnobValue,
    Outputs,
    SearchSpace,
    Variant,
    canonical_json,
    nearest_in_size,
    option,
)
from denas_core.errors import ConfigError
from denas_core.networks import LARGEST_CHOICES, check_choices, layered_knobs

from .batches import FRAMES_PER_SECOND, speech_batch

if TYPE_CHECKING:
    from torch import nn

    from denas_core import Latency, Recipe, WeightView
    from denas_core.networks import Piece

Block = tuple[KnobValue, ...]
"""The values of one block's knobs, in the order of `SpeechSpace.of_a_block`."""

_NO_NETWORK = frozenset({"dropout", "probe_frames"})
"""Options, other than choices, that change neither a network nor its cost."""


@dataclasses.dataclass(kw_only=True)
class SpeechSpace(SearchSpace):
    """Speech recognisers: a convolutional front-end, an encoder, a CTC head and an attention decoder.

    Depth and width are chosen once; the knobs named in `of_a_block` are chosen for each block of the encoder. A
    subclass builds the blocks.
    """

    metrics = (ArchitectureMetric(name="rtf", label="real-time factor", is_measured=True),)
    of_a_block: ClassVar[Mapping[str, str]] = {"mlp_ratio": "mlp_ratios", "heads": "heads"}
    """For each knob of a block, the option that holds its choices."""
    limits: ClassVar[Mapping[str, float]] = LARGEST_CHOICES
    """For each option with choices, the largest allowed choice."""

    depths: list[int] = option([5, 6, 7, 8, 9, 10, 11, 12], "Choices of the number of encoder blocks")
    embed_dims: list[int] = option([192, 216, 240, 324, 384, 444], "Choices of the width")
    mlp_ratios: list[float] = option(
        [3.0, 3.5, 4.0, 4.5, 5.0], "Choices of a block's MLP width, relative to the embedding's"
    )
    heads: list[int] = option([2, 3, 4], "Choices of the number of heads of a block")
    vocabulary: int = option(
        5000,
        "Number of symbols, with the blank and the symbols before and after a transcript",
        at_least=4,
        at_most=1_000_000,
    )
    mels: int = option(80, "Number of mel bands of a frame", at_least=1, at_most=1024)
    channels: int = option(64, "Number of channels of the convolutional front-end", at_least=1, at_most=4096)
    decoder_layers: int = option(6, "Number of decoder blocks", at_least=1, at_most=256)
    decoder_heads: int = option(4, "Heads of a decoder block", at_least=1, at_most=128)
    decoder_hidden: int = option(2048, "MLP width of a decoder block", at_least=1, at_most=65_536)
    dropout: float = option(0.1, "Dropout while training", at_least=0, at_most=0.9)
    seconds: float = option(
        10.0, "Length in seconds of the utterance for FLOPs, memory and latency", at_least=0.01, at_most=3600
    )
    probe_frames: int = option(
        80, "Number of 10 ms frames in the batch for diversity and saliency", at_least=1, at_most=360_000
    )

    def __post_init__(self) -> None:
        """Check that the options fit together.

        Raises:
            ValueError: choices are out of order or range, or no number of heads divides a width.
        """
        for name in self._choices:
            check_choices(name, getattr(self, name), self.limits[name])
        for width in self.embed_dims:
            if all(width % heads for heads in self.heads):
                raise ValueError(
                    f"embed_dims has {width}, which none of the heads {self.heads!r} divides; choose another width, "
                    "or other heads"
                )
            if width % self.decoder_heads:
                raise ValueError(
                    f"embed_dims has {width}, which decoder_heads {self.decoder_heads} does not divide; "
                    "change one of them"
                )

    @abstractmethod
    def encoder_blocks(
        self, width: int, blocks: Sequence[Mapping[str, Any]], *, residual: bool
    ) -> tuple[list[nn.Module], nn.Module]:
        """Return the blocks of the encoder and the norm after them; see `Encoder`.

        Args:
            width: Number of features of a frame.
            blocks: For each block, the values of the knobs in `of_a_block`.
            residual: Whether blocks have residual connections.
        """

    def knobs(self) -> tuple[Knob, ...]:
        """Return the knobs of the network, then those of each block, numbered from 1."""
        choices = {knob: getattr(self, name) for knob, name in self.of_a_block.items()}
        return layered_knobs(depths=self.depths, embed_dims=self.embed_dims, **choices)

    def familiar(self, cost: Mapping[str, float]) -> tuple[str, Architecture] | None:
        """Return a recogniser of equal blocks, each with the middle choice of every size."""
        middle = {knob: _middle(getattr(self, name)) for knob, name in self.of_a_block.items()}

        def equal(depth: int, width: int) -> Architecture:
            values: dict[str, KnobValue] = {"depth": depth, "embed_dim": width}
            for layer in range(1, depth + 1):
                values |= {f"layer{layer}.{name}": value for name, value in middle.items()}
            return self.architecture(self.canonical(values))

        networks = itertools.starmap(equal, itertools.product(self.depths, self.embed_dims))
        found = nearest_in_size(self, networks, cost)
        return None if found is None else ("a network of equal blocks", found)

    def canonical(self, values: Mapping[str, KnobValue]) -> dict[str, KnobValue]:
        """Return `values` without inactive knobs; a number of heads that does not divide the width is replaced.

        The replacement is the nearest choice that divides the width.
        """
        active = super().canonical(values)
        width = cast("int", active["embed_dim"])
        for name, heads in active.items():
            if name.endswith(".heads"):
                active[name] = self._fitting_heads(width, cast("int", heads))
        return active

    def fingerprint(self) -> str:
        """Return the options that change a network or its cost; choices do not, they only limit the architectures."""
        left_out = {*self._choices, *_NO_NETWORK}
        return canonical_json({name: value for name, value in self.options().items() if name not in left_out})

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the network of `arch`, not yet initialised.

        It is a `Recogniser` with the number of symbols from the options or from a `PositionHead`. With any other
        `head`, it is a `HeadedEncoder`, whose head takes the frames (samples, frames, width).
        """
        return self._network(arch, head=head, residual=variant == "full", decoder_layers=self.decoder_layers)

    def initialise(self, model: nn.Module, *, seed: int) -> nn.Module:
        """Give `model` fresh weights on the CPU; see `initialise_network`."""
        from .weights import initialise_network

        return initialise_network(cast("Any", model), seed=seed)

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` utterances of `seconds` seconds; utterances of kind ``ones`` have `probe_frames` frames."""
        frames = self.probe_frames if kind == "ones" else max(1, round(self.seconds * FRAMES_PER_SECOND))
        return speech_batch(size, frames=frames, mels=self.mels, seed=seed, kind=kind)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return the encoded frames (samples, frames / 4, width) and the logits ``ctc`` and ``attention``.

        ``batch.lengths`` may hold the valid lengths ``features`` and ``tokens``, (samples,), from which the masks of
        the outputs are made. A network with another kind of head returns its ``logits`` instead.
        """
        return cast("Outputs", cast("Any", model).outputs(batch))

    def views(self, model: nn.Module) -> list[WeightView]:
        """Return the weights of front-end and embeddings (layer 0), of encoder and decoder blocks, and of heads."""
        from .views import views_of

        return views_of(cast("Any", model))

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return the parts of a recogniser; the part ``reference`` is what the original DE-NAS counts."""
        return {
            "reference": ("encoder.", "decoder."),
            "front_end": ("front_end.",),
            "encoder": ("encoder.",),
            "decoder": ("decoder.",),
            "heads": ("ctc_head.", "attention_head."),
        }

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return networks with one decoder block and few encoder blocks, and what further decoder blocks add."""
        from denas_core.networks import Piece, pieces_of_choices

        width = cast("int", arch["embed_dim"])
        least = {name: getattr(self, choices)[0] for name, choices in self.of_a_block.items()}
        least["heads"] = self._fitting_heads(width, least["heads"])
        usual = tuple(least.values())

        def small(blocks: Sequence[tuple[Any, ...]]) -> nn.Module:
            return self._network(self._network_of(width, blocks), decoder_layers=1)

        # Decoder and choices of the encoder do not depend on each other, and most pieces are only about the encoder.
        return [
            *pieces_of_choices(self._blocks(arch), usual, small, key=width),
            Piece(key=(width, "decoder"), build=lambda: self.build(self._network_of(width, (usual,)))),
            Piece(key=(width, (usual,)), build=lambda: small((usual,)), count=-1),
        ]

    def reference_recipe(self) -> Recipe:
        """Return the settings with which the original DE-NAS scores speech recognisers."""
        from .recipe import RECIPE

        return RECIPE

    def bounded_metrics(self) -> tuple[str, ...]:
        """Return the metrics that grow with every knob.

        The memory of activations is not among them: it depends on the number of heads, which the width limits.
        """
        parts = ("reference", "encoder", "decoder", "heads")
        return "params", "trainable_params", "flops", "size_mb", *(f"params_{part}" for part in parts)

    def latency_metrics(self, latency: Latency, units: Mapping[str, float]) -> dict[str, Latency]:
        """Return the latency of a call in milliseconds, and the real-time factor ``rtf``.

        The real-time factor is the number of seconds that it takes to process one second of speech.

        Raises:
            ConfigError: the probe does not say how much speech it timed.
        """
        seconds = units.get("audio_seconds", 0.0)
        if not seconds > 0:
            raise ConfigError(
                f"the probe does not say how many seconds of speech a call of {self.id!r} takes, so there is no 'rtf'; "
                "its units() should be those of the batch"
            )
        scale = 1 / (1000 * seconds)
        ends = {name: getattr(latency, name) * scale for name in ("median", "low", "high")}
        return {"latency_ms": latency, "rtf": dataclasses.replace(latency, **ends)}

    @property
    def _choices(self) -> tuple[str, ...]:
        return "depths", "embed_dims", *self.of_a_block.values()

    def _fitting_heads(self, width: int, heads: int) -> int:
        fitting = [choice for choice in self.heads if width % choice == 0]
        return min(fitting, key=lambda choice: (abs(choice - heads), choice))

    def _blocks(self, arch: Architecture) -> list[Block]:
        depth = cast("int", arch["depth"])
        return [
            tuple(arch[f"layer{layer}.{name}"] for name in self.of_a_block) for layer in range(1, depth + 1)
        ]

    def _network_of(self, width: int, blocks: Sequence[Block]) -> Architecture:
        values: dict[str, KnobValue] = {"depth": len(blocks), "embed_dim": width}
        for layer, block in enumerate(blocks, start=1):
            named = zip(self.of_a_block, block, strict=True)
            values |= {f"layer{layer}.{name}": value for name, value in named}
        return self.unchecked(values)

    def _network(
        self,
        arch: Architecture,
        *,
        head: nn.Module | None = None,
        residual: bool = True,
        decoder_layers: int,
    ) -> nn.Module:
        from .build import build_network

        width = cast("int", arch["embed_dim"])
        settings = [dict(zip(self.of_a_block, block, strict=True)) for block in self._blocks(arch)]
        blocks, norm = self.encoder_blocks(width, settings, residual=residual)
        return build_network(
            width,
            blocks,
            norm,
            mels=self.mels,
            channels=self.channels,
            vocabulary=self.vocabulary,
            decoder_layers=decoder_layers,
            decoder_heads=self.decoder_heads,
            decoder_hidden=self.decoder_hidden,
            dropout=self.dropout,
            head=head,
            residual=residual,
        )


def _middle(choices: Sequence[Any]) -> Any:
    """Return the middle choice, the larger of two."""
    return choices[len(choices) // 2]
