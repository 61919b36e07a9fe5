"""Which checks belong to which contract, and what components of it are tried on: one entry a contract."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from denas_core.contracts.executor import Executor
from denas_core.contracts.exporter import Exporter
from denas_core.contracts.probe import LatencyProbe
from denas_core.contracts.score import CombinedScore, ProxyScore
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.strategy import Strategy
from denas_core.contracts.task import Task
from denas_core.errors import ConfigError

from .check import Check
from .checks.combined_scores import COMBINED_SCORE_CHECKS
from .checks.components import COMPONENT_CHECKS
from .checks.executors import EXECUTOR_CHECKS
from .checks.exporters import EXPORTER_CHECKS
from .checks.probes import PROBE_CHECKS
from .checks.scores import SCORE_CHECKS
from .checks.spaces import SPACE_CHECKS
from .checks.strategies import STRATEGY_CHECKS
from .checks.tasks import TASK_CHECKS

if TYPE_CHECKING:
    from denas_core.contracts.component import Component

Spaces = tuple[SearchSpace, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The checks of one contract.

    Attributes:
        contract: The base class of the components.
        checks: Checks of this contract, beside those of every component.
        spaces: Makes the spaces that components are tried on; None for components that need none.
    """

    contract: type[Any]
    checks: tuple[Check, ...]
    spaces: Callable[[], Spaces] | None = None

    def every_check(self) -> tuple[Check, ...]:
        """Return the checks of every component and those of this contract."""
        return (*COMPONENT_CHECKS, *self.checks)

    def calls(
        self, make: Callable[[], Component], spaces: Sequence[SearchSpace] = ()
    ) -> Iterator[tuple[Check, Callable[[], None]]]:
        """Yield each check with a call that runs it on a component of its own.

        Args:
            make: Makes the component.
            spaces: What it is tried on, in place of the suite's own.
        """
        for check in self.every_check():
            # Made here and not in the check: importing torch is not its fault.
            on = tuple(spaces) or (self.spaces() if self.spaces else ())
            yield check, partial(self.run, check, make, on)

    def run(self, check: Check, make: Callable[[], Component], spaces: Sequence[SearchSpace] = ()) -> None:
        """Run one check on a component made for it.

        Raises:
            CheckFailed, CheckSkipped: what the check finds.
        """
        if self.spaces is None or check in COMPONENT_CHECKS:
            check(make())
        else:
            check(make(), tuple(spaces) or self.spaces())


def _without_networks() -> Spaces:
    from .samples.knobs import Conditional

    return Conditional().named("sample/conditional"), Conditional(deepest=1).named("sample/tiny")


def _networks() -> Spaces:
    from .samples.spaces import sample_spaces

    return sample_spaces()


SUITES: tuple[Suite, ...] = (
    Suite(contract=SearchSpace, checks=SPACE_CHECKS),
    Suite(contract=ProxyScore, checks=SCORE_CHECKS, spaces=_networks),
    Suite(contract=CombinedScore, checks=COMBINED_SCORE_CHECKS, spaces=_networks),
    Suite(contract=Strategy, checks=STRATEGY_CHECKS, spaces=_without_networks),
    Suite(contract=LatencyProbe, checks=PROBE_CHECKS, spaces=_networks),
    Suite(contract=Executor, checks=EXECUTOR_CHECKS),
    Suite(contract=Exporter, checks=EXPORTER_CHECKS, spaces=_networks),
    Suite(contract=Task, checks=TASK_CHECKS, spaces=_networks),
)


def suite_of(cls: type[Any]) -> Suite:
    """Return the suite of a component class, or of a contract.

    Raises:
        ConfigError: it derives from none of the contracts.
    """
    for suite in SUITES:
        if issubclass(cls, suite.contract):
            return suite
    names = ", ".join(suite.contract.__name__ for suite in SUITES)
    raise ConfigError(f"{cls.__module__}:{cls.__qualname__} derives from none of {names}")
