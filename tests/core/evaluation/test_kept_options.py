"""What a plugin changes of the options of components that it shares a search with."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from denas_core.contracts.problem import Problem
from denas_core.contracts.score import ProxyScore
from denas_core.evaluation.evaluator import Evaluator
from denas_core.evaluation.kept_options import KeptOptions
from tests.core.conditional_space import Conditional


@dataclasses.dataclass(kw_only=True)
class Plain(ProxyScore):
    """A score as most are written."""

    size: int = 3
    names: list[str] = dataclasses.field(default_factory=lambda: ["a"])

    def measure(self, candidate: Any) -> float:
        return float(self.size)


@dataclasses.dataclass(kw_only=True, slots=True)
class Slotted(ProxyScore):
    """A score whose options are not in its ``__dict__``."""

    size: int = 3
    names: list[str] = dataclasses.field(default_factory=lambda: ["a"])

    def measure(self, candidate: Any) -> float:
        return float(self.size)


EVERY = [Plain, Slotted]


@pytest.mark.parametrize("cls", EVERY)
def test_what_nobody_changed_is_not_called_changed(cls: type[Any]) -> None:
    score = cls()
    assert KeptOptions([score]).restore() == ""
    evaluator = Evaluator(Problem(Conditional()), {"it": score})
    assert evaluator(Conditional().full()).components == {"it": 3.0}


@pytest.mark.parametrize("cls", EVERY)
def test_an_option_that_was_changed_is_named_and_put_back(cls: type[Any]) -> None:
    score = cls()
    kept = KeptOptions([score])
    score.size = 4
    assert kept.restore() == f"option 'size' of {score.id}"
    score.names.append("b")
    assert kept.restore() == f"option 'names' of {score.id}"
    assert (score.size, score.names) == (3, ["a"])
    assert kept.restore() == ""
