"""For every check a component that breaks its one promise by mistake, and is found out by it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from denas_core import CombinedScore, Executor, Exporter, LatencyProbe, ProxyScore, SearchSpace, Strategy
from denas_core.builtin.random_search import RandomSearch
from denas_core.builtin.serial import Serial
from denas_core.contracts.run_exporter import RunExporter
from denas_core.contracts.task import Task
from denas_core.testing import CheckFailed, CheckSkipped
from denas_core.testing.check import Check
from denas_core.testing.classes import COMPONENT_CHECKS, KINDS, class_for
from denas_core.testing.samples.knobs import Conditional
from denas_core.testing.samples.spaces import SampleCNN, SampleMLP, SampleTransformer
from denas_core.testing.samples.surroundings import restored

from . import (
    broken_checkpoints,
    broken_components,
    broken_exporters,
    broken_run_exporters,
    broken_runners,
    broken_scores,
    broken_spaces,
    broken_strategies,
    broken_tasks,
)
from .mistakes import MISTAKES

BROKEN: dict[type[Any], dict[str, Any]] = {
    SearchSpace: broken_spaces.BROKEN,
    ProxyScore: broken_scores.BROKEN,
    CombinedScore: broken_scores.BROKEN_COMBINED,
    Strategy: broken_strategies.BROKEN,
    LatencyProbe: broken_runners.BROKEN_PROBES,
    Executor: broken_runners.BROKEN_EXECUTORS,
    Task: broken_tasks.BROKEN,
    Exporter: broken_exporters.BROKEN,
    RunExporter: broken_run_exporters.BROKEN,
}


def classes_of(broken: Any) -> tuple[Any, ...]:
    return broken if isinstance(broken, tuple) else (broken,)


def cases() -> Iterator[Any]:
    for kind in KINDS:
        for check in kind.checks:
            for broken in classes_of(BROKEN[kind.contract].get(check.name, ())):
                name = f"{kind.contract.__name__}-{check.name}-{broken.__name__}"
                yield pytest.param(check, broken, kind().spaces, id=name)
    for check in COMPONENT_CHECKS:
        for broken in classes_of(broken_components.BROKEN.get(check.name, ())):
            yield pytest.param(check, broken, tuple, id=f"component-{check.name}-{broken.__name__}")


@pytest.fixture(autouse=True)
def other_generators() -> Iterator[None]:
    """Leave generators where no broken component puts them: a training that ran before may have seeded them with 0."""
    with restored():
        random.seed(12345)
        torch.manual_seed(12345)
        yield


def test_every_check_has_a_component_that_fails_it() -> None:
    assert set(BROKEN) == {kind.contract for kind in KINDS}
    for kind in KINDS:
        assert set(BROKEN[kind.contract]) == {check.name for check in kind.checks}
    assert set(broken_components.BROKEN) == {check.name for check in COMPONENT_CHECKS}


@pytest.mark.parametrize(("check", "broken", "spaces"), list(cases()))
def test_a_broken_component_fails_the_check_that_is_for_it(check: Check, broken: Any, spaces: Any) -> None:
    component = broken()
    component = component if "id" in vars(broken) else component.named("broken/component")
    with pytest.raises(CheckFailed) as caught:
        check(component, spaces())
    text = str(caught.value)
    assert len(text) > 40
    assert ";" in text or ":" in text
    assert "\n" not in text


@pytest.mark.parametrize(("name", "broken", "text"), MISTAKES)
def test_a_mistake_is_named_with_what_to_do(name: str, broken: Any, text: str) -> None:
    kind = class_for(broken)
    (check,) = (check for check in kind.checks if check.name == name)
    with pytest.raises(CheckFailed) as caught:
        check(broken().named("broken/component"), kind().spaces())
    assert text in str(caught.value)


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
    tests = class_for(make)
    for check in tests.every_check():
        # The test gives its options no help.
        if check.name == "it_is_documented" and name == "probe":
            continue
        try:
            check(make().named(f"sample/{name}"), tests().spaces())
        except CheckFailed as failed:
            pytest.fail(f"{check.name}: {failed}")
        except CheckSkipped:
            pass


def test_claims_are_one_sentence_each_and_no_two_of_a_kind_are_the_same() -> None:
    for kind in KINDS:
        checks = kind.every_check()
        assert len({check.claim for check in checks}) == len(checks)
        assert len({check.name for check in checks}) == len(checks)
        assert all(check.claim[0].isupper() or "(" in check.claim.split()[0] for check in checks)
