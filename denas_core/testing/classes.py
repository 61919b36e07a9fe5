"""Test classes, one a kind of component: derive one, say how the component is made, and each check is a test.

A class is also the list of the checks of its kind, and says what components are tried on; ``denas check`` runs it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from denas_core.contracts.component import Component
from denas_core.contracts.executor import Executor
from denas_core.contracts.exporter import Exporter
from denas_core.contracts.probe import LatencyProbe
from denas_core.contracts.run_exporter import RunExporter
from denas_core.contracts.score import CombinedScore, ProxyScore
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.strategy import Strategy
from denas_core.contracts.task import Task
from denas_core.errors import ConfigError

from .check import Check, CheckSkipped, checks_in
from .checks import calls as of_calls
from .checks import (
    checkpoints,
    combined_scores,
    components,
    executors,
    exporters,
    networks,
    outputs,
    plugins,
    probes,
    run_exporters,
    scores,
    spaces,
    strategies,
    tasks,
)
from .checks.calls import checks_of_calls

COMPONENT_CHECKS = checks_in(components)
CALL_CHECKS = checks_in(of_calls)
PLUGIN_CHECKS = checks_in(plugins)


class ComponentTests:
    """What the test classes have in common; each has one method a check, named ``test_<check>``.

    Attributes:
        skips: Reasons by the name of a check that does not apply, such as
            ``{"another_seed_gives_another_result": "it enumerates"}``.
        contract: The base class of the components.
        checks: The checks of this kind, beside those of every component.
    """

    skips: ClassVar[Mapping[str, str]] = {}
    contract: ClassVar[type[Any]]
    checks: ClassVar[tuple[Check, ...]]

    def make(self) -> Component:
        """Return a new component; called once for each check."""
        raise NotImplementedError(f"{type(self).__name__} must define make(), which returns the component")

    def spaces(self) -> Sequence[SearchSpace]:
        """Return what the component is tried on; by default the kit's own sample spaces."""
        return ()

    @classmethod
    def every_check(cls) -> tuple[Check, ...]:
        """Return the checks of every component and those of this kind."""
        return (*COMPONENT_CHECKS, *cls.checks)

    def __init_subclass__(cls) -> None:
        if "checks" in vars(cls):
            for check in cls.every_check():
                setattr(cls, f"test_{check.name}", _test(check))


def _test(check: Check) -> Callable[[ComponentTests], None]:
    def test(self: ComponentTests) -> None:
        unknown = set(self.skips) - {known.name for known in self.every_check()}
        if unknown:
            raise ValueError(f"{type(self).__name__}.skips names {sorted(unknown)}, which are not checks")
        if check.name in self.skips:
            raise CheckSkipped(self.skips[check.name])
        check(self.make(), self.spaces())

    test.__name__ = f"test_{check.name}"
    test.__doc__ = f"{check.claim}."
    return test


class _OnNetworks(ComponentTests):
    def spaces(self) -> Sequence[SearchSpace]:
        """Return small spaces of three kinds of networks."""
        from .samples.spaces import sample_spaces

        return sample_spaces()


class SpaceTests(ComponentTests):
    """Every check of a search space; `make` returns one."""

    contract = SearchSpace
    checks = (
        *checks_in(spaces, networks, outputs, checkpoints),
        *checks_of_calls(spaces.calls, spaces.loans, draws=True),
    )


class ScoreTests(_OnNetworks):
    """Every check of a score; `make` returns a `ProxyScore`. `spaces` may return spaces that suit it."""

    contract = ProxyScore
    checks = (*checks_in(scores), *checks_of_calls(scores.calls, scores.loans, draws=True))


class CombinedScoreTests(_OnNetworks):
    """Every check of a score made of several; `make` returns a `CombinedScore`."""

    contract = CombinedScore
    checks = (*checks_in(combined_scores), *checks_of_calls(combined_scores.calls, combined_scores.loans))


class StrategyTests(ComponentTests):
    """Every check of a strategy; `make` returns one. `spaces` may return spaces that suit it."""

    contract = Strategy
    checks = (*checks_in(strategies), *checks_of_calls(strategies.calls, strategies.loans, draws=True))

    def spaces(self) -> Sequence[SearchSpace]:
        """Return spaces without networks, whose knobs depend on each other."""
        from .samples.knobs import Conditional

        return Conditional().named("sample/conditional"), Conditional(deepest=1).named("sample/tiny")


class ProbeTests(_OnNetworks):
    """Every check of a latency probe; `make` returns one."""

    contract = LatencyProbe
    checks = (*checks_in(probes), *checks_of_calls(probes.calls))


class ExecutorTests(ComponentTests):
    """Every check of an executor; `make` returns one."""

    contract = Executor
    checks = (*checks_in(executors), *checks_of_calls(executors.calls))


class ExporterTests(_OnNetworks):
    """Every check of an exporter; `make` returns one. `spaces` may return spaces that suit it."""

    contract = Exporter
    checks = (*checks_in(exporters), *checks_of_calls(exporters.calls, exporters.loans))


class RunExporterTests(ComponentTests):
    """Every check of an exporter of runs; `make` returns one. `spaces` may return spaces that suit it."""

    contract = RunExporter
    checks = (*checks_in(run_exporters), *checks_of_calls(run_exporters.calls, run_exporters.loans))

    def spaces(self) -> Sequence[SearchSpace]:
        """Return spaces without networks, whose knobs depend on each other."""
        from .samples.knobs import Conditional

        return Conditional().named("sample/conditional"), Conditional(deepest=1).named("sample/tiny")


class TaskTests(_OnNetworks):
    """Every check of a task, on the example that it writes; `make` returns one. `spaces` may return what suits it."""

    contract = Task
    checks = (*checks_in(tasks), *checks_of_calls(tasks.calls, tasks.loans))


KINDS: tuple[type[ComponentTests], ...] = (
    *(SpaceTests, ScoreTests, CombinedScoreTests, StrategyTests, ProbeTests),
    *(ExecutorTests, ExporterTests, RunExporterTests, TaskTests),
)


def class_for(cls: type[Any]) -> type[ComponentTests]:
    """Return the test class for a class of components, or for a contract.

    Raises:
        ConfigError: the class derives from none of the contracts.
    """
    for tests in KINDS:
        if issubclass(cls, tests.contract):
            return tests
    names = ", ".join(tests.contract.__name__ for tests in KINDS)
    raise ConfigError(f"{cls.__module__}:{cls.__qualname__} derives from none of {names}")
