"""The DE-Score: expressivity, complexity, diversity and saliency in one number."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from denas_core import CombinedScore, ProxyScore, Recipe, Table, is_part_of, option
from denas_core.errors import ConfigError

from .activations import Naswot
from .baselines import Flops, Params
from .complexity import Complexity
from .diversity import Diversity
from .expressivity import Expressivity
from .jacobian import JacobianCovariance
from .observed import ObservedScore
from .reference import (
    ReferenceComplexity,
    ReferenceDiversity,
    ReferenceExpressivity,
    ReferenceSaliency,
)
from .saliency import Saliency
from .spectra import DepthWidth, FeatureEntropy, Participation, Progressivity
from .trainability import Trainability

if TYPE_CHECKING:
    from denas_core import SearchSpace

BATCH_SIZE = 32
ATTENTION_BATCH_SIZE = 8
"""Samples of noise for networks with attention, whose samples hold many positions: they rank as 16 and 24 do."""

CLASSIC_BATCH_SIZE = 64
CLASSIC_NAMES = ("classic", "rank")
"""Names of the combination of four components; the second is that of runs made before there were others."""

CLASSIC = ("expressivity", "complexity", "diversity", "saliency")

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "expressivity": ("naswot", "entropy", "participation"),
    "complexity": ("params", "flops", "depth-width", "progressivity", "trainability"),
    "diversity": ("jacob-cov",),
    "saliency": ("saliency",),
}
"""The components of ``ensemble`` under the five words of the DE-Score; the fifth is the measured latency."""

WEIGHTS = {"params": 2.0}
"""Weights of components of ``ensemble`` that are not 1; docs/de-score.md says why parameters count twice."""

OF_CONVOLUTIONS = ("participation", "progressivity", "trainability")
"""Components that count for networks without attention alone: they look at channels and positions that change."""

OF_ATTENTION = ("depth-width",)
"""Components that count for networks with attention alone."""


@dataclasses.dataclass(kw_only=True)
class DEScore(CombinedScore):
    """The DE-Score: expressivity, complexity, diversity, saliency and latency in one number.

    ``ensemble`` adds the log-ranks of the components of `HEADINGS` among the random networks of the run, each of weight
    1 but for those in `WEIGHTS`, all of them train-free and from one run on noise and one on ones. Networks with
    attention count depth times width, networks without it how channels and positions change: the one rule by kind of
    network. ``classic`` has four components, one a word: the answer to a perturbed input, the condition number of the
    tangent kernel, the nuclear norms of attention and the synaptic saliency outside it. ``reference`` is the original's
    arithmetic.

    ``reference`` takes components, initialisation, structure and the components' weights from the space's recipe, with
    an exact kernel by a backward run a sample: slow, and meant for comparison. It differs from the original in its
    seeds: here every architecture has weights of its own, from the run's seed. A component has a part in ``classic`` if
    it had one in the original's score of such a space.
    """

    combination: Literal["ensemble", "classic", "rank", "reference"] = option(
        "ensemble",
        "Which components there are, and how they become one number; 'rank' is what runs made earlier call 'classic'",
    )
    batch_size: int | None = option(
        None,
        "Samples of a batch of noise; by default 32, or 8 with attention; 64 for 'classic', or the recipe's for "
        "'reference'",
        at_least=2,
    )
    repeats: int = option(
        1, "Runs of 'ensemble' on other weights and noise, whose values are averaged", at_least=1
    )
    synaptic_batch_size: int | None = option(
        None,
        "Samples of the constant batch of diversity and saliency; by default the space's, or the recipe's for "
        "'reference'",
        at_least=1,
    )
    weights_from: Literal["fresh", "inherited"] = option(
        "fresh", "Weights that 'ensemble' and 'classic' score: newly drawn, or of the space's checkpoint"
    )

    @property
    def is_relative(self) -> bool:
        """Whether the value is a sum of ranks, and means nothing without the networks that were ranked."""
        return self.combination != "reference"

    @property
    def uses_sample(self) -> bool:
        """Whether networks are ranked against the random ones of the run; earlier combinations rank all of them."""
        return self.combination == "ensemble"

    def default_weights(self, space: SearchSpace) -> Mapping[str, float]:
        """Return the weight of each component for `space`; that of latency is 0."""
        if self.combination == "reference":
            return self._recipe(space).weights
        if self.combination in CLASSIC_NAMES:
            recipe = space.reference_recipe()
            used = CLASSIC if recipe is None else [name for name in CLASSIC if recipe.weights.get(name)]
            return {**{name: float(name in used) for name in CLASSIC}, "latency": 0.0}
        others = OF_CONVOLUTIONS if _has_attention(space) else OF_ATTENTION
        names = [name for names in HEADINGS.values() for name in names]
        return {**{name: WEIGHTS.get(name, 1.0) * (name not in others) for name in names}, "latency": 0.0}

    def component(self, name: str, space: SearchSpace) -> ProxyScore | None:
        """Return one of the components, as the combination defines it."""
        if self.combination == "reference":
            return self._reference_component(name, self._recipe(space))
        samples = self.synaptic_batch_size or space.probe_samples
        if self.combination in CLASSIC_NAMES:
            return self._classic_component(name, space, samples)
        if name == "saliency":
            return Saliency(batch_size=samples, over="all", weights_from=self.weights_from)
        kinds: dict[str, type[ObservedScore]] = {
            "naswot": Naswot,
            "entropy": FeatureEntropy,
            "participation": Participation,
            "depth-width": DepthWidth,
            "progressivity": Progressivity,
            "trainability": Trainability,
            "jacob-cov": JacobianCovariance,
        }
        if name in ("flops", "params"):
            return Flops() if name == "flops" else Params()
        if name not in kinds:
            return None
        size = self.batch_size or (ATTENTION_BATCH_SIZE if _has_attention(space) else BATCH_SIZE)
        return kinds[name](batch_size=size, repeats=self.repeats, weights_from=self.weights_from)

    def _classic_component(self, name: str, space: SearchSpace, samples: int) -> ProxyScore | None:
        size = self.batch_size or CLASSIC_BATCH_SIZE
        recipe = space.reference_recipe()
        noise = 0.0 if recipe is None else recipe.noise
        components: dict[str, ProxyScore] = {
            "expressivity": Expressivity(batch_size=size, weights_from=self.weights_from),
            "complexity": Complexity(batch_size=size, weights_from=self.weights_from),
            "diversity": Diversity(batch_size=samples, noise=noise, weights_from=self.weights_from),
            "saliency": Saliency(batch_size=samples, weights_from=self.weights_from),
        }
        return components.get(name)

    def combine(self, table: Table, space: SearchSpace) -> Sequence[float]:
        """Return the DE-Score of each row; minus infinity in ``reference`` for a row that misses a value."""
        if self.combination != "reference":
            return super().combine(table, space)
        recipe = self._recipe(space)
        columns = dict(table.columns)
        if "latency" in columns:
            columns["latency"] = [None if ms is None else ms / recipe.latency_ms for ms in columns["latency"]]
        rows = [{name: column[index] for name, column in columns.items()} for index in range(len(table))]
        return [combine_as_original(row, table.weights, recipe.arithmetic) for row in rows]

    def _recipe(self, space: SearchSpace) -> Recipe:
        recipe = space.reference_recipe()
        if recipe is None:
            raise ConfigError(
                f"the original DE-NAS has no space like {space.id!r}, so combination='reference' has no recipe for it; "
                "use combination='ensemble'"
            )
        return recipe

    def _reference_component(self, name: str, recipe: Recipe) -> ProxyScore | None:
        kinds: dict[str, Callable[..., ProxyScore]] = {
            "expressivity": ReferenceExpressivity,
            "complexity": ReferenceComplexity,
            "diversity": ReferenceDiversity,
            "saliency": ReferenceSaliency,
        }
        if name not in kinds:
            raise ConfigError(f"combination='reference' has no term for {name!r}; use combination='ensemble'")
        weights = {**recipe.weights, **self.weights}
        if name == "saliency" and recipe.arithmetic == "ratio" and not weights.get("expressivity"):
            raise ConfigError(
                "combination='reference' divides expressivity by saliency: give both a weight, or neither"
            )
        return kinds[name](
            batch_size=self.batch_size or recipe.batch_size,
            synaptic_batch_size=self.synaptic_batch_size or recipe.synaptic_batch_size,
            noise=recipe.noise,
            variant=recipe.variant,
            initialisation=recipe.initialisation,
            drawn=list(recipe.drawn),
            roles=list(recipe.diversity),
            counts=dict(recipe.saliency),
        )


def _has_attention(space: SearchSpace) -> bool:
    return any(is_part_of(kind, "attention") for kind in space.kinds())


def combine_as_original(
    values: Mapping[str, float | None],
    weights: Mapping[str, float],
    arithmetic: Literal["ratio", "sum"],
) -> float:
    """Return the original's score of one row: see `Recipe.arithmetic`.

    A component of weight 0 is not in `values`, and leaves its term out: nothing is divided by a weight of 0.
    """
    if any(value is None for value in values.values()):
        return -math.inf

    def term(name: str) -> float | None:
        value = values.get(name)
        return None if value is None or not weights.get(name) else weights[name] * value

    if arithmetic == "ratio":
        expressivity, saliency = term("expressivity"), term("saliency")
        if expressivity is not None and saliency is not None:
            expressivity = expressivity / saliency if saliency else math.inf
        score = (expressivity or 0.0) - (term("complexity") or 0.0)
    else:
        score = (term("diversity") or 0.0) + (term("saliency") or 0.0)
    return score / (1.0 + (term("latency") or 0.0))
