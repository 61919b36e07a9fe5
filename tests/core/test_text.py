"""Numbers as sentences write them."""

from __future__ import annotations

import pytest

from denas_core.report.sections.verdict import _state_comparison
from denas_core.text import as_many


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.0, "as many parameters"),
        (0.996, "as many parameters"),
        (1.27, "1.3 times as many parameters"),
        (0.052, "0.052 times as many parameters"),
        (123.4, "120 times as many parameters"),
        (4.5e6, "4.5M times as many parameters"),
    ],
)
def test_a_ratio_of_one_is_as_many(ratio: float, text: str) -> None:
    assert as_many(ratio, "parameters") == text


def test_the_verdict_compares_sizes_in_words() -> None:
    rows = [
        {"kind": "component", "name": "c", "best": 1056.4, "median": 1.25, "direction": "maximize"},
        {"kind": "metric", "name": "params", "best": 5000, "median": 5010},
        {"kind": "metric", "name": "flops", "best": 300, "median": 200},
    ]
    found = _state_comparison({"rows": rows, "count": 9})
    assert "(c 1056 against 1.25)" in found
    assert found.endswith("It has as many parameters and 1.5 times as many FLOPs as this median.")
