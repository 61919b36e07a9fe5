"""An architecture that is evaluated rung by rung, and the earlier candidates that it is compared with on each rung."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from .architecture import Architecture, KnobValue

Columns = Mapping[str, Sequence[float | None]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A comparison that decides whether a candidate goes on to the next components of its score.

    Attributes:
        peers: Values of earlier candidates by component, one for each of them: all components that are known on this
            rung. Their number is 0 if too few are known to compare with. A candidate then goes on.
        sample: Values of the random networks of the run by component; None if the score needs none, see `Table.sample`.
        share: Share of the candidates that go on.
    """

    peers: Columns
    sample: Columns | None
    share: float

    def __len__(self) -> int:
        return len(next(iter(self.peers.values()), ()))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Contender(Architecture):
    """An architecture with the rungs that it must pass. It equals the architecture without them.

    Attributes:
        rungs: One for each group of components but the last, in the order of `CombinedScore.rungs`.
    """

    rungs: tuple[Rung, ...] = ()

    @classmethod
    def of(cls, arch: Architecture, rungs: Sequence[Rung]) -> Contender:
        """Return an architecture with rungs."""
        return cls(arch.space, arch.values, arch.key, tuple(rungs))

    def __reduce__(self) -> tuple[Any, ...]:
        return Contender, (self.space, dict(self.values), self.key, self.rungs)

    def as_message(self) -> list[Any]:
        """Return the rungs as JSON can represent them."""
        return [dataclasses.asdict(rung) for rung in self.rungs]

    @classmethod
    def from_message(
        cls, space: str, values: dict[str, KnobValue], key: str, rungs: Sequence[Mapping[str, Any]]
    ) -> Contender:
        """Return the contender whose rungs `as_message` gave."""
        return cls(space, values, key, tuple(Rung(**rung) for rung in rungs))
