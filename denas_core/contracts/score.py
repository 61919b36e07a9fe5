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
