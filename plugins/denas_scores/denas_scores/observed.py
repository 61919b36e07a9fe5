"""What scores of runs on a batch of noise have in common, and what scores of a run on a constant batch have."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from denas_core import PassSpec, ProxyScore, option

if TYPE_CHECKING:
    from denas_core import Candidate, Trace


@dataclasses.dataclass(kw_only=True)
class NoiseScore(ProxyScore):
    """A score of a run on noise, averaged over independent weights and batches.

    Scores with equal options share their runs, even if they record different data.
    """

    kept: ClassVar[PassSpec]
    """The run and what it records; the options below replace its size, weights and repeat."""

    batch_size: int = option(32, "Samples of the batch of noise", at_least=2)
    repeats: int = option(1, "Runs on other weights and another batch, whose values are averaged", at_least=1)
    weights_from: Literal["fresh", "inherited"] = option(
        "fresh", "Weights that are scored: newly drawn, or of the space's checkpoint"
    )

    def passes(self) -> Sequence[PassSpec]:
        """Return one run for each repeat."""
        return [
            dataclasses.replace(self.kept, size=self.batch_size, weights=self.weights_from, repeat=repeat)
            for repeat in range(self.repeats)
        ]

    def measure(self, candidate: Candidate) -> float:
        """Return the mean of the values of the repeats.

        Raises:
            ScoreFailed: the value is undefined for this network.
        """
        values = [self.value_of(candidate, candidate.trace(spec)) for spec in self.passes()]
        return sum(values) / len(values)

    @abstractmethod
    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the score of one run of `candidate`.

        Raises:
            ScoreFailed: it is undefined for this network.
        """


@dataclasses.dataclass(kw_only=True)
class ObservedScore(NoiseScore):
    """A score that needs only what one run has recorded, and nothing else of the network."""

    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the score of one run."""
        return self.value(trace)

    @abstractmethod
    def value(self, trace: Trace) -> float:
        """Return the score of one run.

        Raises:
            ScoreFailed: it is undefined for this network.
        """


@dataclasses.dataclass(kw_only=True)
class ConstantScore(ProxyScore):
    """A score of one run on the constant batch of the space, such as an image of ones."""

    kept: ClassVar[PassSpec]
    """The run and what it records; the options below replace its size and weights."""

    batch_size: int = option(1, "Samples of the constant batch", at_least=1)
    weights_from: Literal["fresh", "inherited"] = option(
        "fresh", "Weights that are scored: newly drawn, or of the space's checkpoint"
    )

    def passes(self) -> Sequence[PassSpec]:
        """Return the one run."""
        return (
            dataclasses.replace(self.kept, inputs="ones", size=self.batch_size, weights=self.weights_from),
        )

    def measure(self, candidate: Candidate) -> float:
        """Return the score of the run.

        Raises:
            ScoreFailed: the value is undefined for this network.
        """
        return self.value_of(candidate, candidate.trace(self.passes()[0]))

    @abstractmethod
    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the score of the run of `candidate`.

        Raises:
            ScoreFailed: it is undefined for this network.
        """
