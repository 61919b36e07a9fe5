"""The score contract: a number for an untrained network, and what it may look at."""

from __future__ import annotations

import dataclasses
import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from denas_core.errors import ScoreFailed
from denas_core.text import described, shown, type_name

from .component import Component, option

if TYPE_CHECKING:
    from denas_core.values.passes import PassSpec

    from .candidate import Candidate
    from .space import SearchSpace

Direction = Literal["maximize", "minimize"]

CONTINUOUS_INPUT = "continuous input"
"""What a score requires that adds noise to inputs: some are perturbable, see `Batch`."""

LARGEST = 1e308
"""Scores beyond this magnitude are refused; SQLite would store what overflows as text or NULL."""


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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is combined: a column of raw values for each component of positive weight.

    Attributes:
        columns: Values by component, one a row; None where a row has none, such as an unstable latency.
        weights: Positive weight by component.
        directions: Direction by component.
    """

    columns: Mapping[str, Sequence[float | None]]
    weights: Mapping[str, float]
    directions: Mapping[str, Direction]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


def coerce_score(value: Any) -> float:
    """Return `value` as a Python float if it is a finite real number, and nothing else.

    Raises:
        ScoreFailed: `value` is a bool, a text, a tensor, complex, NaN, infinite or beyond `LARGEST`.
    """
    try:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            told = shown(value, 60) if isinstance(value, (bool, str, int, complex, type(None))) else ""
            # NumPy 1's truth values are called bool_, NumPy 2's bool.
            raise ScoreFailed(f"not a number: {type_name(value).rstrip('_')} {told}".rstrip())
        number = float(value)
    except (ScoreFailed, KeyboardInterrupt):
        raise
    except BaseException as error:  # any third-party number type may raise anything here
        raise ScoreFailed(f"not a float: {described(error)}"[:200]) from error
    if not math.isfinite(number) or abs(number) > LARGEST:
        raise ScoreFailed(f"not finite: {number!r}")
    # SQLite keeps no negative zero; adding zero makes it positive.
    return number + 0.0
