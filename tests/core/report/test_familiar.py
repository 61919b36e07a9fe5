"""A familiar network beside the best one: found by its size, scored with the objects of the search."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest

from denas_core import Architecture, nearest_in_size
from denas_core.registry.registry import Registry
from denas_core.report.familiar import familiar_network
from denas_core.setup.config import make_config
from denas_core.setup.setup import Setup
from denas_core.testing import SampleMLP
from denas_core.values.trial import Evaluation, Trial


@dataclasses.dataclass(kw_only=True)
class WithFamiliar(SampleMLP):
    """A space whose familiar network is its largest one, whatever it is compared with."""

    def familiar(self, cost: Any) -> tuple[str, Architecture] | None:
        full = self.full()
        assert full is not None
        return "a plain network", full


@dataclasses.dataclass(kw_only=True)
class Failing(SampleMLP):
    """A space that fails where it should name a familiar network."""

    def familiar(self, cost: Any) -> tuple[str, Architecture] | None:
        raise RuntimeError("no book")


def searched(space: SampleMLP) -> tuple[Setup, list[Trial]]:
    config = make_config({"space": "toy/stairs", "score": "scores/params", "device": "cpu"}, origin="test")
    setup = Setup.from_config(config, Registry.discover())
    setup = dataclasses.replace(
        setup, space=space, problem=type(setup.problem)(space, ()), scoring=setup.scoring
    )
    arch = space.smallest() or space.sample(random.Random(0))
    found = setup.evaluator().evaluate(arch)
    assert found.state == "scored", found.reason
    return setup, [Trial(index=0, generation=0, arch=arch, evaluation=found)]


def test_a_space_without_one_has_no_comparison() -> None:
    setup, trials = searched(SampleMLP())
    assert familiar_network(setup, trials) is None


def test_a_space_that_fails_has_no_comparison() -> None:
    setup, trials = searched(Failing())
    assert familiar_network(setup, trials) is None


def test_it_is_scored_and_ranked_beside_the_best() -> None:
    setup, trials = searched(WithFamiliar())
    found = familiar_network(setup, trials)
    assert found is not None
    full = setup.space.full()
    assert full is not None
    assert (found["name"], found["key"]) == ("a plain network", full.key)
    assert found["components"] == dict(setup.evaluator().evaluate_scores(full).components)
    assert found["is_better"] in (True, False)


def test_no_scored_trial_has_no_comparison() -> None:
    setup, (trial,) = searched(WithFamiliar())
    failed = dataclasses.replace(trial, evaluation=Evaluation(state="failed", reason="x"))
    assert familiar_network(setup, [failed]) is None


def test_the_nearest_in_size_is_at_most_fifteen_percent_away() -> None:
    space = SampleMLP()
    networks = [space.sample(random.Random(number)) for number in range(20)]
    for arch in networks:
        found = nearest_in_size(space, networks, space.cost(arch))
        assert found is not None and space.cost(found)["params"] == space.cost(arch)["params"]
    assert nearest_in_size(space, networks, {"params": 1e12, "flops": 1e12}) is None


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("cv/cnn:micro", "a ResNet"),
        ("cv/vit:micro", "a DeiT"),
        ("nlp/bert:micro", "a DistilBERT"),
        ("asr/transformer", "a network of equal blocks"),
        ("asr/conformer", "a network of equal blocks"),
    ],
)
def test_the_spaces_know_familiar_networks_of_their_own_kind(name: str, title: str) -> None:
    space = Registry.discover().create("space", name, {})
    for seed in range(3):
        cost = space.cost(space.sample(random.Random(seed)))
        found = space.familiar(cost)
        assert found is not None
        assert found[0] == title
        assert space.cost(found[1])["params"] == pytest.approx(cost["params"], rel=0.15)
