"""What becomes of an exception of a plugin, and of a reader that wants no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from denas_core.errors import PluginError
from denas_core.isolation.plugin_errors import items_of_plugin, plugin_errors


@pytest.mark.parametrize("guard", [True, False])
def test_a_reader_that_stops_early_is_no_error_of_the_component(guard: bool) -> None:
    found = items_of_plugin(lambda: range(3), "task 'a/b'", guard=guard)
    assert next(found) == 0
    found.close()


@pytest.mark.parametrize("error", [ValueError, GeneratorExit, SystemExit])
def test_an_exception_between_two_items_names_the_component(error: type[BaseException]) -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise error

    found = items_of_plugin(numbers, "task 'a/b'")
    assert next(found) == 1
    with pytest.raises(PluginError, match=f"task 'a/b' failed: {error.__name__}"):
        next(found)


def test_other_exceptions_name_the_component() -> None:
    with pytest.raises(PluginError, match="task 'a/b' failed: SystemExit: 3"), plugin_errors("task 'a/b'"):
        raise SystemExit(3)
