"""For every check a component that breaks its one promise, and is found out by it."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from denas_core import CombinedScore, Executor, Exporter, LatencyProbe, ProxyScore, SearchSpace, Strategy
from denas_core.builtin.random_search import RandomSearch
from denas_core.builtin.serial import Serial
from denas_core.contracts.task import Task
from denas_core.testing import CheckFailed
from denas_core.testing.check import claim_of, name_of
from denas_core.testing.checks.components import COMPONENT_CHECKS
from denas_core.testing.samples.knobs import Conditional
from denas_core.testing.samples.spaces import SampleCNN, SampleMLP, SampleTransformer
from denas_core.testing.suites import SUITES, suite_of

from . import (
    broken_checkpoints,
    broken_components,
    broken_exporters,
    broken_runners,
    broken_scores,
    broken_spaces,
    broken_strategies,
    broken_tasks,
    slips,
)

BROKEN: dict[type[Any], dict[str, Any]] = {
    SearchSpace: broken_spaces.BROKEN,
    ProxyScore: broken_scores.BROKEN,
    CombinedScore: broken_scores.BROKEN_COMBINED,
    Strategy: broken_strategies.BROKEN,
    LatencyProbe: broken_runners.BROKEN_PROBES,
    Executor: broken_runners.BROKEN_EXECUTORS,
    Task: broken_tasks.BROKEN,
    Exporter: broken_exporters.BROKEN,
}
CASES = [
    pytest.param(suite, check, id=f"{suite.contract.__name__}-{name_of(check)}")
    for suite in SUITES
    for check in suite.checks
]


@pytest.fixture(autouse=True)
def elsewhere() -> None:
    """Leave generators where no broken component puts them: a training that ran before may have seeded them with 0."""
    random.seed(12345)
    torch.manual_seed(12345)


def test_every_check_has_a_component_that_fails_it() -> None:
    assert set(BROKEN) == {suite.contract for suite in SUITES}
    for suite in SUITES:
        assert set(BROKEN[suite.contract]) == {name_of(check) for check in suite.checks}
    assert set(broken_components.BROKEN) == {name_of(check) for check in COMPONENT_CHECKS}


@pytest.mark.parametrize(("suite", "check"), CASES)
def test_a_broken_component_fails_the_check_that_is_for_it(suite: Any, check: Any) -> None:
    broken = BROKEN[suite.contract][name_of(check)]
    with pytest.raises(CheckFailed) as caught:
        suite.run(check, lambda: broken().named("broken/component"))
    text = str(caught.value)
    assert len(text) > 40
    assert "\n" not in text


@pytest.mark.parametrize(
    ("check", "broken", "text"), slips.SLIPS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_slip_is_named_with_its_mend(check: Any, broken: Any, text: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        suite_of(broken).run(check, lambda: broken().named("broken/component"))
    assert text in str(caught.value)


@pytest.mark.parametrize("check", COMPONENT_CHECKS, ids=name_of)
def test_a_component_with_broken_options_fails_the_check_that_is_for_it(check: Any) -> None:
    with pytest.raises(CheckFailed):
        check(broken_components.BROKEN[name_of(check)]())


GOOD = {
    "conditional": Conditional,
    "mlp": SampleMLP,
    "cnn": SampleCNN,
    "transformer": SampleTransformer,
    "stored": broken_checkpoints.Stored,
    "score": broken_components.Good,
    "grad-norm": broken_scores.GradNorm,
    "pair": broken_scores.Pair,
    "random": RandomSearch,
    "probe": broken_runners.Quick,
    "serial": Serial,
    "vectors": broken_tasks.Vectors,
    "plain": broken_exporters.Plain,
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_broken_passes_before_it_is_broken(name: str) -> None:
    make = GOOD[name]
    suite = suite_of(make)
    for check, call in suite.calls(lambda: make().named(f"sample/{name}")):
        # Its options are those of the test.
        if name_of(check) == "options_are_documented" and name == "probe":
            continue
        try:
            call()
        except CheckFailed as failed:
            pytest.fail(f"{name_of(check)}: {failed}")
        except Exception as skipped:
            assert type(skipped).__name__ == "CheckSkipped"


def test_claims_are_one_sentence_each_and_no_two_of_a_suite_are_the_same() -> None:
    for suite in SUITES:
        claims = [claim_of(check) for check in suite.every_check()]
        names = [name_of(check) for check in suite.every_check()]
        assert len(set(claims)) == len(claims)
        assert len(set(names)) == len(names)
        assert all(claim[0].isupper() or "(" in claim.split()[0] for claim in claims)
