"""The search space ``nlp/bert``: text encoders in which all layers have the same sizes."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from denas_core import (
    Architecture,
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
from denas_core.networks import token_batch, token_lengths

from .counting import SINGLE_OPERATIONS, cost_of
from .notation import format_tuple, is_tuple, parse_tuple
from .options import Resolved, resolved
from .shape import DROPOUTS, Shape

if TYPE_CHECKING:
    from torch import nn

    from denas_core import Recipe, WeightView
    from denas_core.legacy import Legacy
    from denas_core.networks import Piece


@dataclasses.dataclass(kw_only=True)
class Bert(SearchSpace):
    """BERT for text (Devlin et al. 2019, arXiv:1810.04805); all layers of a network have the same sizes.

    Layers, heads and the width of feed-forward blocks are chosen once for the network. By default the hidden width is
    the total width of the heads, so that stock transformers can load the network. In the preset ``denas``, which is the
    space of the original DE-NAS, the hidden width is a separate choice. The preset ``micro`` has small networks for
    small devices, with a vocabulary of 8,192 tokens. A checkpoint gives all other sizes and the initial weights.
    """

    checkpoint: str = option(
        "", "Folder, config.json or hub id of a BERT: the largest network, and its weights; empty: BERT-base"
    )
    inherit: Literal["leading", "magnitude"] = option(
        "leading",
        "Weights to inherit from the checkpoint: the first heads, neurons and layers, or the largest",
    )
    allow_pickle: bool = option(False, "Allow a checkpoint that is a pickle; only its tensors are read")
    tied: bool = option(True, "Make the hidden width the total width of the heads, as stock transformers do")
    layers: list[int] = option([], "Choices of the number of layers; empty: a third to all")
    heads: list[int] = option(
        [], "Choices of the heads of a layer; empty: a third to all, or two thirds if not tied"
    )
    hidden: list[int] = option([], "Choices of the hidden width if not tied; empty: a sixth to all, in 48ths")
    intermediate: list[int] = option(
        [], "Choices of the width of feed-forward blocks; empty: a 24th to all, in 96ths"
    )
    head_size: int | None = option(
        None, "Features of a head; by default the checkpoint's, or 64", at_least=1, at_most=4096
    )
    vocab_size: int | None = option(
        None,
        "Tokens of the vocabulary; by default the checkpoint's, or 30522",
        at_least=1,
        at_most=10_000_000,
    )
    positions: int | None = option(
        None, "Tokens of the longest text; by default the checkpoint's, or 512", at_least=1, at_most=1_000_000
    )
    config: dict[str, Any] = option({}, "Other keys of BertConfig, such as hidden_act")
    seq_len: int | None = option(
        None, "Tokens of a text for FLOPs, memory and latency; by default 128, or all positions", at_least=1
    )
    probe_tokens: int | None = option(
        None, "Tokens of a text that diversity and saliency see; by default 16, or seq_len", at_least=1
    )
    digest: str = option("", "SHA-256 of the checkpoint, in the options of a trained model")

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "base": {"tied": True},
        "hf": {"tied": True},
        "denas": {"tied": False},
        # For small devices and from scratch: the token table of BERT-base alone has 2 M parameters at a width of 64.
        "micro": {
            "tied": True,
            "layers": [2, 3, 4, 5, 6, 7, 8],
            "heads": [2, 3, 4, 5, 6, 7, 8],
            "head_size": 32,
            "intermediate": list(range(64, 1025, 32)),
            "vocab_size": 8192,
        },
    }

    def __post_init__(self) -> None:
        """Open the checkpoint and check that the options fit together.

        Raises:
            ConfigError: there is no such checkpoint.
            ValueError: options contradict each other or the checkpoint, or choices are out of order or range.
        """
        path = Path(self.checkpoint).expanduser()
        if self.checkpoint and path.exists():
            self.checkpoint = str(path.resolve())
        self.__dict__["_resolved"] = found = resolved(self.options())
        positions = found.original.common["max_position_embeddings"]
        self.seq_len, self.probe_tokens = token_lengths(self.seq_len, self.probe_tokens, positions=positions)

    def knobs(self) -> tuple[Knob, ...]:
        """Return the knobs of the network; single layers have no knobs."""
        return tuple(Knob(name, tuple(values)) for name, values in self._resolved.choices.items())

    def familiar(self, cost: Mapping[str, float]) -> tuple[str, Architecture] | None:
        """Return a BERT that is shortened as DistilBERT (arXiv:1910.01108) is: fewer layers, feed-forward ratio 4."""
        choices = {knob.name: cast("tuple[int, ...]", knob.values) for knob in self.knobs()}
        head = self._resolved.head_size

        def short(layers: int, heads: int) -> Architecture:
            width = heads * head
            values: dict[str, KnobValue] = {"layers": layers, "heads": heads}
            if "hidden" in choices:
                values["hidden"] = min(choices["hidden"], key=lambda one: abs(one - width))
            values["intermediate"] = min(choices["intermediate"], key=lambda one: abs(one - 4 * width))
            return self.architecture(values)

        networks = itertools.starmap(short, itertools.product(choices["layers"], choices["heads"]))
        found = nearest_in_size(self, networks, cost)
        return None if found is None else ("a DistilBERT", found)

    def fingerprint(self) -> str:
        """Return the properties that all networks share, and the source of their weights."""
        common = self._resolved.original.common
        facts = {name: value for name, value in common.items() if name not in DROPOUTS}
        facts |= {"head_size": self._resolved.head_size, "seq_len": self.seq_len}
        if digest := self._resolved.digest():
            facts |= {"digest": digest, "inherit": self.inherit}
        return canonical_json(facts)

    def shape(self, arch: Architecture) -> Shape:
        """Return the sizes of the network of `arch`."""
        values = cast("Mapping[str, int]", arch.values)
        head_size = self._resolved.head_size
        return Shape(
            layers=values["layers"],
            heads=values["heads"],
            head_size=head_size,
            hidden=values["heads"] * head_size if self.tied else values["hidden"],
            intermediate=values["intermediate"],
        )

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the network of `arch`, a transformers model with pooler; see `build_network` for a `head`."""
        from .network import build_network

        common = self._resolved.original.common
        return build_network(self.shape(arch), common, head=head, residual=variant == "full")

    def cost(self, arch: Architecture) -> dict[str, float]:
        """Return the same as `counted_cost`, computed by formulas where they apply.

        Raises:
            Infeasible: the network is too large for torch to describe.
        """
        common = self._resolved.original.common
        if common["hidden_act"] not in SINGLE_OPERATIONS:
            return super().cost(arch)
        return cost_of(self.shape(arch), common, tokens=cast("int", self.seq_len))

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return embeddings and pooler, and attention and feed-forward block of a layer."""
        from .pieces import network_pieces

        common = self._resolved.original.common
        return network_pieces(self.shape(arch), common, tokens=cast("int", self.seq_len))

    @property
    def inherits(self) -> bool:
        """Whether networks inherit weights from a checkpoint."""
        return self._resolved.source is not None

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
        source = self._resolved.source
        if weights == "fresh" or source is None:
            return super().load(model, arch, seed=seed, weights=weights)
        from .network import initialise_network

        return initialise_network(
            model, seed=seed, weights=source.weights_of(self.shape(arch), by=self.inherit)
        )

    def initialise(self, model: nn.Module, *, seed: int) -> nn.Module:
        """Give `model` fresh weights on the CPU, drawn as in transformers."""
        from .network import initialise_network

        return initialise_network(model, seed=seed)

    def assets(self) -> Mapping[str, Path]:
        """Return the checkpoint's tokenizer file, if it has one."""
        return self._resolved.assets()

    def portable(self) -> Mapping[str, Any]:
        """Return options that hold the contents read from the checkpoint instead of its location."""
        return {**self.options(), **self._resolved.portable()}

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` texts of `seq_len` tokens; texts of kind ``ones`` have `probe_tokens` tokens."""
        tokens = cast("int", self.probe_tokens if kind == "ones" else self.seq_len)
        common = self._resolved.original.common
        return token_batch(
            size,
            tokens=tokens,
            vocabulary=common["vocab_size"],
            seed=seed,
            kind=kind,
            positions=common["max_position_embeddings"],
        )

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Return the last hidden states (samples, tokens, hidden) and logits; without a head both are the same."""
        from .network import outputs_of

        return outputs_of(model, batch)

    def views(self, model: nn.Module) -> list[WeightView]:
        """Return the weights of embeddings (layer 0), of each layer, and of pooler and head."""
        from .network import views_of

        return views_of(model)

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return two parts: embeddings and encoder."""
        from .network import parts_of

        return parts_of(model)

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read the original's tuple notation, see `parse_tuple`, or the notation of every space."""
        if not is_tuple(text):
            return super().parse(text, origin=origin)
        values = parse_tuple(text, head_size=self._resolved.head_size, tied=self.tied, origin=origin)
        return self.architecture(values, origin=origin)

    def format(self, arch: Architecture) -> str:
        """Return `arch` in the original's tuple notation."""
        return format_tuple(self.shape(arch))

    def reference_recipe(self) -> Recipe:
        """Return the settings with which the original DE-NAS scores BERT."""
        from .legacy import RECIPE

        return dataclasses.replace(RECIPE, initialisation="inherited" if self.inherits else "fresh")

    @classmethod
    def legacy(cls) -> Legacy:
        """Return the translation of the original's BERT configurations."""
        from .legacy import LEGACY

        return LEGACY

    @property
    def _resolved(self) -> Resolved:
        return cast("Resolved", self.__dict__["_resolved"])
