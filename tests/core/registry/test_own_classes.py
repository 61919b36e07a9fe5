"""Components that are named by their class: those of plugins, and those of somebody's own that no plugin provides."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import denas_core
from denas_core.errors import NotInstalled
from denas_core.registry.own_classes import own_class


@dataclasses.dataclass(kw_only=True)
class FewParameters(denas_core.ProxyScore):
    """Smaller is better."""

    scale: float = denas_core.option(1.0, "Factor of the score", above=0)

    def measure(self, candidate: denas_core.Candidate) -> float:
        """Return the negative number of parameters."""
        return -self.scale * candidate.cost()["params"]


class NoComponent:
    """A class that is no score."""


NAME = f"{__name__}:FewParameters"


def test_a_class_of_ones_own_is_found_by_its_name_while_it_is_imported() -> None:
    registry = denas_core.Registry.discover()
    score = registry.create("score", NAME, {"scale": 2.0})
    assert isinstance(score, FewParameters) and score.id == NAME and score.scale == 2.0
    assert registry.option_names("score", NAME) == {"scale"}
    for name in (
        f"{__name__}:NoComponent",
        f"{__name__}:Nothing",
        "module_that_is_not_there:Score",
        "os:path",
    ):
        with pytest.raises(NotInstalled, match="no installed plugin has a score"):
            registry.resolve("score", name)
    with pytest.raises(NotInstalled):
        registry.resolve("space", NAME)


def test_nothing_is_imported_to_find_a_class() -> None:
    assert own_class("this:Zen") is None and own_class("denas_core") is None


def test_the_class_of_a_plugin_means_its_component() -> None:
    registry = denas_core.Registry.discover()
    assert registry.resolve("executor", "denas_core.builtin.serial:Serial") == "builtin/serial"
    assert registry.create("executor", "denas_core.builtin.serial:Serial").id == "builtin/serial"


def test_a_run_with_a_score_of_ones_own_is_opened_again(tmp_path: Path) -> None:
    options = {"strategy": "builtin/random", "budget": 4, "device": "cpu"}
    found = denas_core.search("cv/cnn:micro", score=FewParameters(), out=tmp_path / "a", **options)  # type: ignore[arg-type]
    named = denas_core.search(
        "cv/cnn:micro",
        score={"name": NAME, "scale": 1.0},
        out=tmp_path / "b",
        **options,  # type: ignore[arg-type]
    )
    assert denas_core.load_run(tmp_path / "a").values == found.values == named.values
