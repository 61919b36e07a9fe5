from __future__ import annotations

import dataclasses
import pickle

import pytest

from denas_core.values.architecture import Architecture, Knob


def test_a_knob_without_a_parent_is_always_active() -> None:
    assert Knob("depth", (1, 2)).is_active({})


@pytest.mark.parametrize(
    ("values", "active"), [({"depth": 2}, True), ({"depth": 3}, True), ({"depth": 1}, False), ({}, False)]
)
def test_a_knob_is_active_while_its_parent_is_and_has_one_of_the_values(
    values: dict[str, int], active: bool
) -> None:
    assert Knob("width2", (8, 16), when=("depth", (2, 3))).is_active(values) is active


def test_architectures_are_compared_by_key_alone() -> None:
    one, same, other = (
        Architecture("s", {"a": 1}, "k"),
        Architecture("s", {"a": 2}, "k"),
        Architecture("s", {"a": 1}, "l"),
    )
    assert one == same
    assert one != other
    assert one != "k"
    assert len({one, same, other}) == 2


def test_an_architecture_cannot_be_changed() -> None:
    arch = Architecture("s", {"a": 1}, "k")
    with pytest.raises(dataclasses.FrozenInstanceError):
        arch.key = "l"  # type: ignore[misc]
    with pytest.raises(TypeError):
        arch.values["a"] = 2  # type: ignore[index]
    arch.as_dict()["a"] = 3
    assert arch["a"] == 1


def test_an_architecture_survives_pickling_with_the_order_of_its_values() -> None:
    arch = Architecture("s", {"b": 1, "a": "x", "c": True}, "k")
    restored = pickle.loads(pickle.dumps(arch))  # noqa: S301  (our own)
    assert restored == arch
    assert restored.space == "s"
    assert list(restored.values.items()) == [("b", 1), ("a", "x"), ("c", True)]


def test_an_unknown_knob_of_an_architecture_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="'b'"):
        Architecture("s", {"a": 1}, "k")["b"]


def test_a_long_list_of_choices_is_told_by_its_ends() -> None:
    assert Knob("width", (8, 16, 24)).describe_values() == "8, 16, 24"
    assert Knob("width", tuple(range(100))).describe_values() == "0, 1, 2, ..., 97, 98, 99"
