"""Networks that a person would take from a book, as large as a given network: the baselines of a search.

Each family lists designs with how far they are from its book, as a tier: 0 is the book's shape. Among the designs whose
parameters *and* FLOPs are both within a tolerance, the one of the lowest tier is returned, and in that tier the nearest
in size.

| space | book | tier 0 |
|---|---|---|
| ``cv/cnn`` | ResNet (He et al. 2015, arXiv:1512.03385) | equal stages of basic blocks, widths doubled at each stage |
| ``cv/vit`` | DeiT (Touvron et al. 2020, arXiv:2012.12877) | equal blocks, MLP ratio 4, heads that divide the width |
| ``nlp/bert`` | DistilBERT, MiniLM (arXiv:1910.01108, arXiv:2002.10957) | fewer layers, MLP ratio 4 |
| ``hf/auto`` | the same | the first layers of the checkpoint, with its MLP ratio |
| ``asr/*`` | the middle of the space | equal blocks, the middle of each choice but depth and width |
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping

from denas_core import Architecture, SearchSpace

from . import convolutional, layered, uniform

TOLERANCE = 0.1
"""Largest relative difference of parameters and of FLOPs by default."""


@dataclasses.dataclass(frozen=True, slots=True)
class Design:
    """A network by hand.

    Attributes:
        tier: How far its shape is from the book's; 0 is the book's.
        space: Its space: that of the search, or the same with finer choices.
        arch: The network.
        params: Number of its parameters.
        flops: Number of its FLOPs.
    """

    tier: int
    space: SearchSpace
    arch: Architecture
    params: float
    flops: float

    def difference(self, params: float, flops: float) -> float:
        """Return the larger of the relative differences of parameters and FLOPs, 0 for equal sizes."""
        return math.exp(max(abs(math.log(self.params / params)), abs(math.log(self.flops / flops)))) - 1


Found = tuple[int, SearchSpace, Architecture]
"""A tier, a space and a network."""

FAMILIES: Mapping[str, Callable[[SearchSpace, float, float], Iterable[Found]]] = {
    "cv/cnn": convolutional.residual_networks,
    "cv/vit": uniform.vision_transformers,
    "nlp/bert": layered.text_encoders,
    "hf/auto": layered.first_layers,
    "asr/transformer": uniform.middle_recognisers,
    "asr/conformer": uniform.middle_recognisers,
}
"""For each space, a function that lists networks near a number of parameters and of FLOPs."""


def hand_designed(
    space: SearchSpace, *, params: float, flops: float, tolerance: float = TOLERANCE
) -> tuple[SearchSpace, Architecture]:
    """Return a hand-designed network of as many parameters and FLOPs, and the space to train it in.

    The space is `space` itself if the network is a member of it. In ``cv/cnn`` it always is, because this space reads
    every structure of residual blocks. Otherwise it is the same space with finer choices, so that the same engine, task
    and recipe train the network, and a training can be resumed from its options.

    Args:
        space: The space that was searched.
        params: Number of parameters, such as ``space.cost(best)["params"]``.
        flops: Number of FLOPs, such as ``space.cost(best)["flops"]``.
        tolerance: Largest relative difference of each from the network's.

    Raises:
        ValueError: the space has no book here, or no design is as large; the text names the nearest one.
    """
    if space.id not in FAMILIES:
        raise ValueError(
            f"no networks were designed by hand for {space.id!r}; known are {', '.join(FAMILIES)}"
        )
    designs = []
    for tier, of, arch in FAMILIES[space.id](space, params, flops):
        cost = of.cost(arch)
        designs.append(Design(tier, of, arch, cost["params"], cost["flops"]))
    if not designs:
        raise ValueError(f"no network by hand of {space.id!r} is near {params:.3g} parameters")
    nearest = min(designs, key=lambda design: design.difference(params, flops))
    equal = [design for design in designs if design.difference(params, flops) <= tolerance]
    if not equal:
        raise ValueError(
            f"no network by hand of {space.id!r} has {params:.3g} parameters and {flops:.3g} FLOPs within "
            f"{100 * tolerance:.0f} %; the nearest has {nearest.params:.3g} and {nearest.flops:.3g}"
        )
    chosen = min(equal, key=lambda design: (design.tier, design.difference(params, flops)))
    return own(space, chosen.arch) or (chosen.space, chosen.arch)


def own(space: SearchSpace, arch: Architecture) -> tuple[SearchSpace, Architecture] | None:
    """Return `space` and its own architecture of the same values, or None if a value is not a choice of it."""
    choices = {knob.name: knob.values for knob in space.knobs()}
    if any(value not in choices.get(name, ()) for name, value in arch.values.items()):
        return None
    return space, space.architecture(arch.as_dict())
