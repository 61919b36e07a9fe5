"""The score contract: a score computes one number for an untrained network."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from denas_core.values.table import Direction, Table

from .component import Component, option
from .rungs import rungs_by_passes

if TYPE_CHECKING:
    from denas_core.values.architecture import Architecture
    from denas_core.values.passes import PassSpec

    from .candidate import Candidate
    from .space import SearchSpace


CONTINUOUS_INPUT = "continuous input"
"""A score that adds noise to inputs requires this: the space then has `Batch.perturbable` inputs."""


@dataclasses.dataclass(kw_only=True)
class ProxyScore(Component, ABC):
    """A train-free measure of one architecture.

    A subclass is a keyword-only dataclass whose fields are its options. It must define `measure`, and `measure` must be
    a pure function of the candidate and the options. It uses no global random numbers, keeps no state, and changes
    nothing in place.

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
    """Whether larger or smaller values mean a better network."""

    reads_features: ClassVar[bool] = False
    """Whether `measure` reads `Outputs.features`. The user is then told if networks of the space give only logits."""

    def requires(self) -> frozenset[str]:
        """Return what a space must have for this score: roles such as ``attention``, or `CONTINUOUS_INPUT`.

        By default nothing. A role also covers its parts, see `WeightView.has_role`. If a space lacks a required role,
        the score is left out with a notice if it was chosen by default, and refused if the user named it.
        """
        return frozenset()

    def passes(self) -> Sequence[PassSpec]:
        """Return the passes whose traces `measure` asks the candidate for; by default none.

        Scores of a run that return equal passes share their traces.
        """
        return ()

    def memory_bytes(self, space: SearchSpace, arch: Architecture) -> int:
        """Return the bytes that `measure` takes besides its passes, such as those of networks that it loads itself.

        By default 0. A search leaves a default component out that takes more memory than there is, and says so; if the
        user named it, it refuses to begin.
        """
        return 0

    @abstractmethod
    def measure(self, candidate: Candidate) -> float:
        """Return the score of `candidate`.

        Raises:
            ScoreFailed: the score is undefined for this network. The text becomes the reason of the failed trial.
        """


@dataclasses.dataclass(kw_only=True)
class CombinedScore(Component, ABC):
    """A weighted combination of several scores, such as the DE-Score.

    A run stores the raw values of the scores, and combines them each time it ranks trials. A subclass is a
    keyword-only dataclass. It must define `default_weights` and `component`.

    A complete combination of two scores, and the combined values of three architectures, of which the last is the best:

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

    weights: dict[str, float] = option(
        {}, "Weight by component, in place of the default; 0 leaves a component out"
    )

    @property
    def is_relative(self) -> bool:
        """Whether the combined value ranks architectures within one run, and cannot be compared between runs."""
        return True

    @property
    def uses_sample(self) -> bool:
        """Whether rows are combined against the random networks of the run, and not among each other.

        The first generation of a search is then drawn at random from the space within the constraints, whatever the
        strategy, and its scored networks are `Table.sample`. There is no sample while these are fewer than 32.
        `combine` then must give a row the same value whatever other rows there are.
        """
        return False

    @abstractmethod
    def default_weights(self, space: SearchSpace) -> Mapping[str, float]:
        """Return the weight of each component for `space`. The name ``latency`` means the measured latency."""

    @abstractmethod
    def component(self, name: str, space: SearchSpace) -> ProxyScore | None:
        """Return the score for the component `name`, or None if this combination does not define that name.

        The name is then looked up among the installed scores.
        """

    def rungs(self, components: Mapping[str, ProxyScore]) -> Sequence[Sequence[str]]:
        """Return the names of the components in groups, in the order in which a candidate's components are computed.

        A strategy with a `Strategy.kept_share` below 1 ends the evaluation of a candidate after a group whose combined
        value is not good enough. `combine` then gets tables without the components of later groups. By default,
        components that share a pass are a group, and groups are ordered by the cost of their passes. Each name must be
        in one group.

        Args:
            components: The components of the run by name, without the latency.
        """
        return rungs_by_passes(components)

    def combine(self, table: Table, space: SearchSpace) -> Sequence[float]:
        """Return the combined value of each row of `table`; larger is better. The default is `log_rank_sum`."""
        from denas_core.values.ranking import log_rank_sum

        return log_rank_sum(table)
