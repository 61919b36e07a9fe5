"""Test classes for plugin authors: derive one, say how the component is made, and each check is a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from denas_core.contracts.executor import Executor
from denas_core.contracts.exporter import Exporter
from denas_core.contracts.probe import LatencyProbe
from denas_core.contracts.score import CombinedScore, ProxyScore
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.strategy import Strategy
from denas_core.contracts.task import Task

from .check import Check, CheckSkipped, claim_of, name_of
from .suites import Suite, suite_of

if TYPE_CHECKING:
    from denas_core.contracts.component import Component

T = TypeVar("T", bound="type[ComponentTests]")


class ComponentTests:
    """What the test classes have in common; each has one method a check, named ``test_<check>``.

    Attributes:
        skips: Reasons by the name of a check that does not apply, such as
            ``{"asking_another_seed_gives_others": "it enumerates"}``.
    """

    skips: ClassVar[Mapping[str, str]] = {}

    def make(self) -> Component:
        """Return a new component; called once for each check."""
        raise NotImplementedError(f"{type(self).__name__} must define make(), which returns the component")

    def spaces(self) -> Sequence[SearchSpace]:
        """Return what the component is tried on; by default the kit's own sample spaces."""
        return ()


def with_checks(contract: type[Any]) -> Callable[[T], T]:
    """Return a class decorator that adds a test method for each check of a contract."""
    suite = suite_of(contract)

    def add(cls: T) -> T:
        for check in suite.every_check():
            name = f"test_{name_of(check)}"
            # A check of the contract may refine one of every component.
            setattr(cls, name, _method(suite, check, name))
        return cls

    return add


def _method(suite: Suite, check: Check, name: str) -> Callable[[ComponentTests], None]:
    def test(self: ComponentTests) -> None:
        unknown = set(self.skips) - {name_of(known) for known in suite.every_check()}
        if unknown:
            raise ValueError(f"{type(self).__name__}.skips names {sorted(unknown)}, which are no checks")
        if name_of(check) in self.skips:
            raise CheckSkipped(self.skips[name_of(check)])
        suite.run(check, self.make, self.spaces())

    test.__name__ = name
    test.__doc__ = f"{claim_of(check)}."
    return test


@with_checks(SearchSpace)
class SpaceTests(ComponentTests):
    """Every check of a search space; `make` returns one."""


@with_checks(ProxyScore)
class ScoreTests(ComponentTests):
    """Every check of a score; `make` returns a `ProxyScore`. `spaces` may return spaces that suit it."""


@with_checks(CombinedScore)
class CombinedScoreTests(ComponentTests):
    """Every check of a score made of several; `make` returns a `CombinedScore`."""


@with_checks(Strategy)
class StrategyTests(ComponentTests):
    """Every check of a strategy; `make` returns one. `spaces` may return spaces that suit it."""


@with_checks(LatencyProbe)
class ProbeTests(ComponentTests):
    """Every check of a latency probe; `make` returns one."""


@with_checks(Executor)
class ExecutorTests(ComponentTests):
    """Every check of an executor; `make` returns one."""


@with_checks(Exporter)
class ExporterTests(ComponentTests):
    """Every check of an exporter; `make` returns one. `spaces` may return spaces that suit it."""


@with_checks(Task)
class TaskTests(ComponentTests):
    """Every check of a task, on the example that it writes; `make` returns one. `spaces` may return what suits it."""
