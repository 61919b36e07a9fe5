"""The score contract: a number for an untrained network, and what it may look at."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from denas_core.values.table import Direction, Table

from .component import Component, option

if TYPE_CHECKING:
    from denas_core.values.passes import PassSpec

    from .candidate import Candidate
    from .space import SearchSpace


CONTINUOUS_INPUT = "continuous input"
"""What a score requires that adds noise to inputs: some are perturbable, see `Batch`."""


@dataclasses.dataclass(kw_only=True)
class ProxyScore(Component, ABC):
    """A train-free measure of one architecture.

    A subclass is a keyword-only dataclass whose fields are its options. It must define `measure`. It is a pure
    function of the candidate and its options: no global random numbers, no state, nothing changed in place.

    A complete score, measured on one network of a sample space:

    >>> import dataclasses
    >>> from denas_core import Candidate, PassSpec, ProxyScore, option
    >>> from denas_core.testing import SampleMLP
    >>> @dataclasses.dataclass(kw_only=True)
    ... class GradientNorm(ProxyScore):
    ...     batch_size: int = option(16, "Samples of the batch", at_least=1)
    ...
    ...     def passes(self):
    ...         return (PassSpec(size=self.batch_size, readout="cotangent", gradients="weights"),)
    ...
    ...     def measure(self, candidate):
    ...         gradients = candidate.trace(self.passes()[0]).gradients.values()
    ...         return float(sum(gradient.square().sum() for gradient in gradients) ** 0.5)
    >>> space = SampleMLP()
    >>> GradientNorm(batch_size=4).measure(Candidate(space, space.full(), seed=0)) > 0
    True
    """

    direction: ClassVar[Direction] = "maximize"
    """Whether larger or smaller values make a better network."""

    def requires(self) -> frozenset[str]:
        """Return what it cannot do without, by default nothing: roles such as ``attention``, or `CONTINUOUS_INPUT`.

        A role stands for its parts too, see `WeightView.has_role`. A score whose role a space lacks is dropped with a
        notice when it came from a default, and refused when the user named it.
        """
        return frozenset()

    def passes(self) -> Sequence[PassSpec]:
        """Return the passes that `measure` asks its candidate for; by default none.

        Scores of one run that name equal passes share them.
        """
        return ()

    @abstractmethod
    def measure(self, candidate: Candidate) -> float:
        """Return the score of `candidate`.

        Raises:
            ScoreFailed: the score is undefined for this network; the text becomes the trial's reason.
        """


@dataclasses.dataclass(kw_only=True)
class CombinedScore(Component, ABC):
    """Several scores under weights, such as the DE-Score; raw values are stored, and combined when ranking.

    A subclass is a keyword-only dataclass. It must define `default_weights` and `component`.

    A complete combination of two scores, and the values of three architectures, of which the last is best:

    >>> import dataclasses
    >>> from denas_core import CombinedScore, ProxyScore, Table
    >>> from denas_core.testing import SampleMLP
    >>> @dataclasses.dataclass(kw_only=True)
    ... class Count(ProxyScore):
    ...     metric: str = "params"
    ...
    ...     def measure(self, candidate):
    ...         return float(candidate.cost()[self.metric])
    >>> @dataclasses.dataclass(kw_only=True)
    ... class Size(CombinedScore):
    ...     def default_weights(self, space):
    ...         return {"params": 1.0, "flops": 0.5}
    ...
    ...     def component(self, name, space):
    ...         return Count(metric=name) if name in ("params", "flops") else None
    >>> score, space = Size(), SampleMLP()
    >>> table = Table(
    ...     columns={"params": [10, 20, 30], "flops": [5, 7, 9]},
    ...     weights=score.default_weights(space),
    ...     directions={name: score.component(name, space).direction for name in ("params", "flops")},
    ... )
    >>> [round(value, 2) for value in score.combine(table, space)]
    [-1.65, -0.61, 0.0]
    """

    weights: dict[str, float] = option({}, "Weight by component, over the defaults; 0 leaves a component out")

    @property
    def is_relative(self) -> bool:
        """Whether the combined value is a rank within a run, and means nothing outside it."""
        return True

    @abstractmethod
    def default_weights(self, space: SearchSpace) -> Mapping[str, float]:
        """Return the weight of each component for `space`; ``latency`` stands for the measured latency."""

    @abstractmethod
    def component(self, name: str, space: SearchSpace) -> ProxyScore | None:
        """Return the score of the component `name`, or None if it is none of its own.

        A name that is none of its own is looked up among the installed scores.
        """

    def combine(self, table: Table, space: SearchSpace) -> Sequence[float]:
        """Return the combined value of every row of `table`, larger is better; by default the weighted log-ranks."""
        from denas_core.values.ranking import log_rank_sum

        return log_rank_sum(table)
