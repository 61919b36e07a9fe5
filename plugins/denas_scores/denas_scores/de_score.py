"""The DE-Score: expressivity, complexity, diversity and saliency in one number."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from denas_core import CombinedScore, ProxyScore, Recipe, Table, option
from denas_core.errors import ConfigError

from .complexity import Complexity
from .diversity import Diversity
from .expressivity import Expressivity
from .reference import (
    ReferenceComplexity,
    ReferenceDiversity,
    ReferenceExpressivity,
    ReferenceSaliency,
)
from .saliency import Saliency

if TYPE_CHECKING:
    from denas_core import SearchSpace

BATCH_SIZE = 64
COMPONENTS = ("expressivity", "complexity", "diversity", "saliency")


@dataclasses.dataclass(kw_only=True)
class DEScore(CombinedScore):
    """The DE-Score. ``rank`` adds the log-ranks of its components; ``reference`` is the original's arithmetic.

    ``reference`` takes components, initialisation, structure and the components' weights from the space's recipe, with
    an exact kernel by a backward run a sample: slow, and meant for comparison. It differs from the original in its
    seeds: here every architecture has weights of its own, from the run's seed. By default, a component has a part in
    ``rank`` if it had one in the original's score of such a space.
    """

    combination: Literal["rank", "reference"] = option("rank", "How the components become one number")
    batch_size: int | None = option(
        None, "Samples of a batch of noise; by default 64, or the recipe's for 'reference'", at_least=2
    )
    synaptic_batch_size: int | None = option(
        None,
        "Samples of the constant batch of diversity and saliency; by default the space's, or the recipe's for "
        "'reference'",
        at_least=1,
    )
    weights_from: Literal["fresh", "inherited"] = option(
        "fresh", "Weights that 'rank' scores: newly drawn, or of the space's checkpoint"
    )

    @property
    def is_relative(self) -> bool:
        """Whether the value is a rank within a run: true of ``rank`` alone."""
        return self.combination == "rank"

    def default_weights(self, space: SearchSpace) -> Mapping[str, float]:
        """Return 1 for the components that the space's recipe has, 0 for latency; or the weights of the recipe.

        A space without a recipe gets all four.
        """
        if self.combination == "reference":
            return self._recipe(space).weights
        recipe = space.reference_recipe()
        used = COMPONENTS if recipe is None else [name for name in COMPONENTS if recipe.weights.get(name)]
        return {**{name: float(name in used) for name in COMPONENTS}, "latency": 0.0}

    def component(self, name: str, space: SearchSpace) -> ProxyScore | None:
        """Return one of the four components, as the combination defines it."""
        if self.combination == "reference":
            return self._reference_component(name, self._recipe(space))
        size = self.batch_size or BATCH_SIZE
        samples = self.synaptic_batch_size or space.probe_samples
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
        if self.combination == "rank":
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
                "use combination='rank'"
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
            raise ConfigError(f"combination='reference' has no term for {name!r}; use combination='rank'")
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
