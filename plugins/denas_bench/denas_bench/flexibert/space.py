"""The search space ``bench/flexibert``: the encoders of NAS-Bench-BERT, as they were trained."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

from denas_core import (
    Architecture,
    Batch,
    Knob,
    KnobValue,
    Outputs,
    SearchSpace,
    canonical_json,
    load_mapping,
    option,
)
from denas_core.networks import token_batch

from .notation import is_network, knob_of, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from denas_core import BatchKind, Variant, WeightView
    from denas_core.networks import Piece

DEPTHS = (2, 4)
HEADS = (2, 4)
FFN_LAYERS = (1, 3)


@dataclasses.dataclass(kw_only=True)
class FlexiBERT(SearchSpace):
    """The encoders of NAS-Bench-BERT (Serianni and Kalita 2023, arXiv:2306.00288), in the space of FlexiBERT.

    They are built as they were trained: every layer has scaled dot-product attention, whatever operation its
    description names, and the width of feed-forward layers after the first is a choice where there are several. So
    descriptions that differ in operations alone are one architecture here. Weights begin as normal numbers of standard
    deviation 0.02. The head classifies the first token.
    """

    classes: int = option(2, "Number of classes", at_least=1)
    vocab_size: int = option(30522, "Tokens of the vocabulary", at_least=1, at_most=10_000_000)
    positions: int = option(512, "Tokens of the longest text", at_least=1, at_most=1_000_000)
    seq_len: int = option(128, "Tokens of a text for FLOPs and memory", at_least=1)
    probe_tokens: int = option(32, "Tokens of a text for scores and latency", at_least=1)

    def __post_init__(self) -> None:
        """Check that texts are not too long.

        Raises:
            ValueError: a text has more tokens than positions.
        """
        for name in ("seq_len", "probe_tokens"):
            if getattr(self, name) > self.positions:
                raise ValueError(
                    f"{name} {getattr(self, name)} is more than positions {self.positions}; change one"
                )

    def knobs(self) -> tuple[Knob, ...]:
        """Return the choices of the network, then those of each layer, numbered from 1."""
        knobs = [Knob("hidden", (128, 256)), Knob("layers", DEPTHS)]
        for layer in range(1, DEPTHS[-1] + 1):
            there = None if layer <= DEPTHS[0] else ("layers", DEPTHS[1:])
            several = (knob_of(layer, "ffn_layers"), FFN_LAYERS[1:])
            knobs += [
                Knob(knob_of(layer, "heads"), HEADS, layer=layer, when=there),
                Knob(knob_of(layer, "ffn_layers"), FFN_LAYERS, layer=layer, when=there),
                Knob(knob_of(layer, "ffn_width"), (512, 1024), layer=layer, when=several),
            ]
        return tuple(knobs)

    def fingerprint(self) -> str:
        """Return the options that change a network or its cost."""
        return canonical_json(
            {name: value for name, value in self.options().items() if name != "probe_tokens"}
        )

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the structure of `arch`; a `head` takes the features of the first token, (samples, hidden)."""
        from denas_bench.layers import Linear

        from .network import Encoder, Layer

        values = cast("Mapping[str, Any]", arch.values)
        hidden = values["hidden"]
        layers = []
        for index in range(1, values["layers"] + 1):
            more = values[knob_of(index, "ffn_layers")] - 1
            widths = (4 * hidden, *[values.get(knob_of(index, "ffn_width"), 0)] * more)
            layers.append(Layer(values[knob_of(index, "heads")], widths))
        return Encoder(
            vocabulary=self.vocab_size,
            positions=self.positions,
            hidden=hidden,
            layers=layers,
            head=Linear(hidden, self.classes) if head is None else head,
            residual=variant == "full",
        )

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return networks of one layer, and one of two layers."""
        from denas_core.networks import pieces_of_choices

        values = cast("Mapping[str, Any]", arch.values)
        hidden = values["hidden"]

        def build(layers: Sequence[tuple[Any, ...]]) -> nn.Module:
            network: dict[str, KnobValue] = {"hidden": hidden, "layers": len(layers)}
            for index, (heads, (count, width)) in enumerate(layers, start=1):
                names = (knob_of(index, name) for name in ("heads", "ffn_layers", "ffn_width"))
                network |= dict(zip(names, (heads, count, width), strict=True))
            return self.build(self.unchecked(network))

        layers = [
            (
                values[knob_of(index, "heads")],
                (values[knob_of(index, "ffn_layers")], values.get(knob_of(index, "ffn_width"), 0)),
            )
            for index in range(1, values["layers"] + 1)
        ]
        return pieces_of_choices(layers, (HEADS[0], (FFN_LAYERS[0], 0)), build, key=hidden)

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` texts of `probe_tokens`, or for the cost of `seq_len`."""
        tokens = self.seq_len if kind == "cost" else self.probe_tokens
        return token_batch(size, tokens=tokens, vocabulary=self.vocab_size, seed=seed, kind=kind)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return the last hidden states (samples, tokens, hidden), and the logits of the first token."""
        network = cast("Any", model)
        features = network.features(**batch.inputs)
        return Outputs(
            features=features, logits={"logits": network.head(features[:, 0])}, masks=dict(batch.masks)
        )

    def views(self, model: nn.Module) -> list[WeightView]:
        """Return embeddings (layer 0), the projections of each layer, and the head."""
        from denas_core import WeightView, views_by_module

        network = cast("Any", model)
        views = [WeightView(f"{name}.weight", "embed", 0) for name in ("tokens", "positions", "segments")]
        if hasattr(network.projection, "weight"):
            views.append(WeightView("projection.weight", "embed", 0))
        for index, layer in enumerate(network.layers):
            name = f"layers.{index}"
            parts = {"query": "q", "key": "k", "value": "v", "out": "out"}
            views += [
                WeightView(f"{name}.{part}.weight", f"attention.{kind}", index + 1)
                for part, kind in parts.items()
            ]
            last = len(layer.ffn) - 1
            kinds = {0: "ffn.in", last: "ffn.out"}
            views += [
                WeightView(f"{name}.ffn.{place}.weight", kinds.get(place, "ffn"), index + 1)
                for place in range(last + 1)
            ]
        return views + [
            dataclasses.replace(view, parameter=f"head.{view.parameter}", layer=len(network.layers) + 1)
            for view in views_by_module(network.head)
        ]

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return embeddings, encoder and head."""
        embeddings: tuple[str, ...] = ("tokens.", "positions.", "segments.", "norm.")
        if hasattr(cast("Any", model).projection, "weight"):
            embeddings += ("projection.",)
        return {"embeddings": embeddings, "encoder": ("layers.",), "head": ("head.",)}

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read a network as NAS-Bench-BERT writes it, see `values_of`, or what every space reads."""
        document = load_mapping(text, origin=origin)
        if is_network(document):
            return self.architecture(values_of(document, origin=origin), origin=origin)
        return super().parse(text, origin=origin)
