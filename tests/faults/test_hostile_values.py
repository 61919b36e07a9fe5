"""Whatever a score returns is stored to the bit or refused in one printable line."""

from __future__ import annotations

import pytest

from benchmarks.hostile import arbitrary_objects, run

# Some of the objects fail when they are deleted, which Python tells and nobody can catch.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_arbitrary_objects_are_stored_to_the_bit_or_refused_in_one_line() -> None:
    counts = run(300, seed=1)
    assert counts["failures"] == []
    assert counts["stored"] + counts["refused"] == counts["objects"] == 300
    assert min(counts["stored"], counts["refused"]) > 30


def test_the_objects_are_of_many_kinds() -> None:
    names = {type.__dict__["__name__"].__get__(type(value)) for value in arbitrary_objects(500, seed=2)}
    assert len(names) > 30
    assert {"float", "int", "Fraction", "Decimal", "Tensor", "Liar"} <= names
