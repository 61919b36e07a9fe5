"""The search space ``nlp/bert``: BERT as one of the models that `ResizedModels` makes smaller."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from denas_core import Architecture, KnobValue, Variant, canonical_json, nearest_in_size, option
from denas_core.errors import PluginError
from denas_hf import ResizedModels, Start

from .counting import SINGLE_OPERATIONS, cost_of
from .notation import format_tuple, is_tuple, parse_tuple
from .original import BertOriginal
from .settings import DROPOUTS, OWN_OPTIONS
from .start import start_of

if TYPE_CHECKING:
    from torch import nn

    from denas_core import Recipe
    from denas_core.legacy import Legacy
    from denas_core.networks import Piece


@dataclasses.dataclass(kw_only=True)
class Bert(ResizedModels):
    """BERT for text (Devlin et al. 2019, arXiv:1810.04805); all layers of a network have the same sizes.

    Layers, heads and the width of feed-forward blocks are chosen once for the network. By default the hidden width is
    the total width of the heads, so that stock transformers can load the network. In the preset ``denas``, which is the
    space of the original DE-NAS, the hidden width is a separate choice. The preset ``micro`` has small networks for
    small devices, with a vocabulary of 8,192 tokens. A checkpoint gives all other sizes and the initial weights.
    """

    checkpoint: str = option(
        "", "Folder, config.json or hub id of a BERT: the largest network, and its weights; empty: BERT-base"
    )
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

    location: ClassVar[str] = "checkpoint"

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

    def open_start(self) -> Start:
        """Open the checkpoint, and check that the options fit together; see `start_of`."""
        return start_of(self.options())

    @property
    def original(self) -> BertOriginal:
        """BERT-base, or the network of the checkpoint."""
        return cast("BertOriginal", self.start.original)

    def familiar(self, cost: Mapping[str, float]) -> tuple[str, Architecture] | None:
        """Return a BERT that is shortened as DistilBERT (arXiv:1910.01108) is: fewer layers, feed-forward ratio 4."""
        choices = {knob.name: cast("tuple[int, ...]", knob.values) for knob in self.knobs()}
        head = self.original.head_width

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
        facts = {name: value for name, value in self.original.common.items() if name not in DROPOUTS}
        facts |= {"head_size": self.original.head_width, "seq_len": self.seq_len}
        if inherited := self.inherited_facts():
            facts |= {"digest": self.start.digest(), **inherited}
        return canonical_json(facts)

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return the network of `arch`, a transformers model; the variant ``plain`` has no residual connections.

        Raises:
            PluginError: a linear head expects another number of features.
        """
        features, hidden = getattr(head, "in_features", None), self.dimensions(arch).hidden
        if features not in (None, hidden):
            raise PluginError(f"a head for {features} features does not fit a BERT of {hidden}")
        network = super().build(arch, head=head)
        if variant == "full":
            return network
        from .plain import without_residuals

        return without_residuals(network)

    def cost(self, arch: Architecture) -> dict[str, float]:
        """Return the same as `counted_cost`, computed by formulas where they apply.

        Raises:
            Infeasible: the network is too large for torch to describe.
        """
        if self.original.config.hidden_act not in SINGLE_OPERATIONS:
            return super().cost(arch)
        return cost_of(self.original, self.dimensions(arch), tokens=cast("int", self.seq_len))

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        """Return embeddings and pooler, and attention and feed-forward block of a layer."""
        from .pieces import network_pieces

        return network_pieces(self.original, self.dimensions(arch), tokens=cast("int", self.seq_len))

    def contents(self) -> Mapping[str, Any]:
        """Return the settings and the choices of sizes."""
        if not self.checkpoint:
            return {}
        config = self.original.common
        own = {name: config.pop(key) for name, key in OWN_OPTIONS.items()}
        choices = {knob.name: list(knob.values) for knob in self.knobs()}
        return {**own, **choices, "head_size": self.original.head_width, "config": config}

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        """Return two parts: embeddings and encoder."""
        prefix = self.prefix(model)
        return {part: (f"{prefix}{part}.",) for part in ("embeddings", "encoder")}

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read the original's tuple notation, see `parse_tuple`, or the notation of every space."""
        if not is_tuple(text):
            return super().parse(text, origin=origin)
        values = parse_tuple(text, head_size=self.original.head_width, tied=self.tied, origin=origin)
        return self.architecture(values, origin=origin)

    def format(self, arch: Architecture) -> str:
        """Return `arch` in the original's tuple notation."""
        sizes = self.dimensions(arch)
        return format_tuple(sizes, attention=self.original.attention(sizes))

    def reference_recipe(self) -> Recipe:
        """Return the settings with which the original DE-NAS scores BERT."""
        from .legacy import RECIPE

        return dataclasses.replace(RECIPE, initialisation="inherited" if self.inherits else "fresh")

    @classmethod
    def legacy(cls) -> Legacy:
        """Return the translation of the original's BERT configurations."""
        from .legacy import LEGACY

        return LEGACY
