"""Where a fault of a component is said to be."""

from __future__ import annotations

import json

import pytest
import torch

from denas_core.errors import PluginError
from denas_core.testing.faults import describe_fault, place_of


def caught(*arguments: object) -> BaseException:
    with pytest.raises(Exception) as raised:
        misuse(*arguments)
    return raised.value


def misuse(function: object, *arguments: object) -> None:
    try:
        function(*arguments)  # type: ignore[operator]
    except PluginError as error:
        raise ValueError("wrapped") from error


def wrong() -> None:
    raise PluginError("its fault")


HERE = "testing/test_faults.py:"
CALL = misuse.__code__.co_firstlineno + 2


@pytest.mark.parametrize("function", [json.loads, torch.nn.Linear(2, 2), torch.zeros(3).item])
def test_a_fault_inside_a_library_is_placed_where_the_library_was_called(function: object) -> None:
    arguments = () if function == torch.zeros(3).item else ("{",)
    assert place_of(caught(function, *arguments)) == f"{HERE}{CALL}, in misuse"


def test_a_fault_is_placed_at_its_cause() -> None:
    error = caught(wrong)
    assert (
        describe_fault(error) == f"ValueError: wrapped ({HERE}{wrong.__code__.co_firstlineno + 1}, in wrong)"
    )


def test_a_fault_that_came_through_no_line_of_its_own_has_no_place() -> None:
    assert describe_fault(KeyError("kernel2")) == "KeyError: 'kernel2'"
