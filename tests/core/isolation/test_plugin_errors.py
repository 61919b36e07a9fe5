"""What becomes of an exception of a plugin, and of a reader that wants no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from denas_core.errors import PluginError
from denas_core.isolation.plugin_errors import plugin_errors


@pytest.mark.parametrize("guard", [True, False])
def test_a_generator_that_is_closed_early_has_not_failed(guard: bool) -> None:
    def numbers() -> Iterator[int]:
        with plugin_errors("task 'a/b'", guard=guard):
            yield 1
            yield 2

    found = numbers()
    assert next(found) == 1
    found.close()


def test_other_exceptions_name_the_component() -> None:
    with pytest.raises(PluginError, match="task 'a/b' failed: SystemExit: 3"), plugin_errors("task 'a/b'"):
        raise SystemExit(3)
