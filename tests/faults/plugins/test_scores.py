"""Whatever a score does, other scores, other trials and the process are what they are without it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from denas_core.registry.registry import Registry
from denas_core.runs.store import Store
from denas_core.values.trial import Trial

from .conftest import Zoo
from .good import GOOD
from .scores import ACTS, CALM, faulty_score
from .trying import bits, changed, evaluate_beside, faults_of_score, process, score_beside, stirred

SEARCHED = ("nan", "exits", "unprintable", "weights_by_data", "option_of_its_own", "default_dtype", "environment",
            "deletes_the_directory", "closes_file_descriptor_1", "prints")  # fmt: skip
"""Acts of every kind, in whole searches."""


@pytest.fixture(scope="module")
def registry(zoo: Zoo) -> Registry:
    return zoo([GOOD, CALM, *map(faulty_score, ACTS)])


@pytest.fixture(scope="module")
def calm(registry: Registry) -> Mapping[str, Trial]:
    return {trial.arch.key: trial for trial in evaluate_beside(registry, "calm")}


def test_every_plugin_loads_since_none_has_acted_yet(registry: Registry) -> None:
    assert {plugin.status for plugin in registry.plugins} == {"ok"}
    assert len([plugin for plugin in registry.plugins if plugin.name in ACTS]) == len(ACTS)


@pytest.mark.parametrize("name", ACTS)
def test_a_faulty_score_fails_its_own_trial_at_most(
    name: str,
    registry: Registry,
    calm: Mapping[str, Trial],
    capfd: pytest.CaptureFixture[str],
    desk: Path,
) -> None:
    before = stirred()
    trials = evaluate_beside(registry, name)
    assert changed(before, process()) == []
    assert faults_of_score(trials, calm, name) == []
    assert "owned" not in capfd.readouterr().out
    store = Store.create(desk / "study.db", {})
    for trial in trials:
        store.append(trial, active_seconds=0.0)
    read = store.trials()
    store.close()
    for trial, stored in zip(trials, read, strict=True):
        assert stored.evaluation.reason == trial.evaluation.reason
        assert {n: bits(v) for n, v in stored.evaluation.components.items()} == {
            n: bits(v) for n, v in trial.evaluation.components.items()
        }


@pytest.mark.parametrize("name", SEARCHED)
def test_a_search_with_a_faulty_score_is_the_one_without_it(
    name: str, registry: Registry, desk: Path
) -> None:
    calm = {trial.arch.key: trial for trial in score_beside(desk / "calm", registry, "calm", budget=10)}
    before = stirred()
    trials = score_beside(desk / "faulty", registry, name)
    assert changed(before, process()) == []
    assert faults_of_score(trials, calm, name) == []
    assert [trial.arch.key for trial in trials] == list(calm)[: len(trials)]
