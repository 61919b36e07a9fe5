from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.setup.checks import check_knobs
from denas_core.values.architecture import Knob
from tests.core.conditional_space import Conditional

SPACE = Conditional().named("toy/conditional")


@dataclasses.dataclass(kw_only=True)
class Given(SearchSpace):
    """A space of the knobs that a test gives it."""

    given: tuple[Knob, ...] = ()

    def knobs(self) -> tuple[Knob, ...]:
        return self.given

    def build(self, arch: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def batch(self, size: int, **kwargs: Any) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"depths": 1},
            "space 'toy/conditional' has no knob 'depths' (run.yaml); did you mean 'depth'?",
        ),
        ({7: 1}, "space 'toy/conditional' has no knob 7 (run.yaml)"),
        (
            {"depth": 4},
            "knob 'depth' of 'toy/conditional' cannot be 4 (run.yaml); choose from 1, 2, 3",
        ),
        (
            {"depth": True},
            "knob 'depth' of 'toy/conditional' cannot be True (run.yaml); choose from 1, 2, 3",
        ),
        (
            {"mixer": ["conv"]},
            "knob 'mixer' of 'toy/conditional' cannot be ['conv'] (run.yaml); choose from 'pool', 'conv'",
        ),
        ({}, "knob 'depth' of 'toy/conditional' has no value (run.yaml)"),
        (
            {"depth": 2, "mixer": "pool", "width1": 8},
            "knob 'width2' of 'toy/conditional' has no value (run.yaml)",
        ),
        (
            {"depth": 1, "mixer": "conv", "width1": 8},
            "knob 'kernel' of 'toy/conditional' has no value (run.yaml)",
        ),
    ],
)
def test_values_that_make_no_architecture_are_refused(values: dict[Any, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SPACE.architecture(values, origin="run.yaml")
    assert str(caught.value) == message


def test_values_of_inactive_knobs_are_checked_and_dropped() -> None:
    values = {"depth": 1, "mixer": "pool", "width1": 8, "kernel": 5}
    assert "kernel" not in SPACE.architecture(values).values
    with pytest.raises(ConfigError, match="knob 'kernel' of 'toy/conditional' cannot be 4"):
        SPACE.architecture({**values, "kernel": 4})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "best.yaml must hold a mapping (key: value), not list [1]"),
        ("arch: 5", "'arch' must be a mapping of knob values, not 5 (best.yaml)"),
        ("depth: 1\ndepth: 2", "best.yaml: key 'depth' stands twice (line 2)"),
        (
            "arch: {depth: 9}",
            "knob 'depth' of 'toy/conditional' cannot be 9 (best.yaml); choose from 1, 2, 3",
        ),
    ],
)
def test_a_text_that_holds_no_architecture_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SPACE.parse(text, origin="best.yaml")
    assert str(caught.value) == message


def test_weights_cannot_be_inherited_from_a_checkpoint_that_is_not_there() -> None:
    with pytest.raises(ConfigError) as caught:
        SPACE.load(None, SPACE.smallest(), seed=0, weights="inherited")
    assert str(caught.value) == (
        "space 'toy/conditional' has no checkpoint to inherit weights from; use 'fresh'"
    )


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ((), "space 'toy/given' has no knobs, so there is nothing to search"),
        ((Knob("a", ()),), "knob 'a' of space 'toy/given' has no values; give it at least one"),
        ((Knob("a", (1, 2, 1)),), "knob 'a' of space 'toy/given' lists a value twice: (1, 2, 1)"),
        ((Knob("a", (1, True)),), "knob 'a' of space 'toy/given' lists a value twice: (1, True)"),
        ((Knob("a", (2, 2.0)),), "knob 'a' of space 'toy/given' lists a value twice: (2, 2.0)"),
        ((Knob("a", (1,)), Knob("a", (2,))), "space 'toy/given' has two knobs named 'a'"),
        (
            (Knob("a", (1,), when=("b", (1,))), Knob("b", (1,))),
            "knob 'a' of space 'toy/given' depends on 'b', which is not before it",
        ),
        (
            (Knob("a", (1,), when=("a", (1,))),),
            "knob 'a' of space 'toy/given' depends on 'a', which is not before it",
        ),
        (
            (Knob("a", (1, 2)), Knob("b", (1,), when=("a", (2, 3)))),
            "knob 'b' of space 'toy/given' is active while 'a' is one of (2, 3), but that never takes 3; "
            "its values are (1, 2)",
        ),
        (
            (Knob("a", ("1", "2")), Knob("b", (1,), when=("a", (1, 2)))),
            "knob 'b' of space 'toy/given' is active while 'a' is one of (1, 2), but that takes none of them; "
            "its values are ('1', '2')",
        ),
    ],
)
def test_knobs_that_cannot_be_searched_are_refused(knobs: tuple[Knob, ...], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_knobs(Given(given=knobs).named("toy/given"))
    assert str(caught.value) == message


def test_sound_knobs_are_accepted() -> None:
    check_knobs(SPACE)
    check_knobs(Given(given=(Knob("a", (False, True)), Knob("b", ("1", 1), when=("a", (True,))))))
