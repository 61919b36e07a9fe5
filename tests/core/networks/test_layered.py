"""Transformers whose blocks differ: their knobs, and the notation of the original."""

from __future__ import annotations

from typing import Any

import pytest

from denas_core.errors import ConfigError
from denas_core.networks.layered import check_choices, format_tuple, is_tuple, layered_knobs, parse_tuple


def test_knobs_of_a_block_count_where_the_network_is_deep_enough() -> None:
    knobs = {k.name: k for k in layered_knobs(depths=[1, 3], embed_dims=[8], heads=[2, 4], kernel=[3])}
    assert list(knobs) == [
        *("depth", "embed_dim", "layer1.heads", "layer1.kernel"),
        *("layer2.heads", "layer2.kernel", "layer3.heads", "layer3.kernel"),
    ]
    assert knobs["layer1.heads"].when is None and knobs["layer1.heads"].values == (2, 4)
    assert knobs["layer2.heads"].when == knobs["layer3.kernel"].when == ("depth", (3,))
    assert [knobs[name].layer for name in ("depth", "layer2.heads")] == [None, 2]


def test_a_tuple_is_read_and_written() -> None:
    values = parse_tuple(" [2, 3.5, 4, 3, 1, 192,] ", origin="--arch")
    assert values == {
        **{"depth": 2, "embed_dim": 192},
        **{"layer1.mlp_ratio": 3.5, "layer1.heads": 3, "layer2.mlp_ratio": 4.0, "layer2.heads": 1},
    }
    assert format_tuple(values) == "(2, 3.5, 4.0, 3, 1, 192)"
    assert is_tuple(" (") and is_tuple("[") and not is_tuple("{depth: 2}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(2, 3.5, 4, 3, 192)", "5 numbers starting with '2' are not an architecture .--arch.; expected"),
        ("(2.5, 3)", "2 numbers starting with '2.5' are not an architecture"),
        ("()", "0 numbers starting with '' are not an architecture"),
        ("(1, x, 3, 192)", "'x' is not a number of an architecture"),
        ("(1, -3, 3, 192)", "'-3' is not a number of an architecture"),
        ("(999, 3)", "2 numbers starting with '999'"),
    ],
)
def test_a_tuple_that_is_no_architecture_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_tuple(text, origin="--arch")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ([], r"heads \[\] must be one or more different numbers, from small to large"),
        ([3, 2], r"heads \[3, 2\] must be"),
        ([2, 2], r"heads \[2, 2\] must be"),
        ([0, 2], "heads has 0; a choice must be more than 0, and at most 128"),
        ([2, 129], "heads has 129; a choice must be more than 0, and at most 128"),
    ],
)
def test_choices_out_of_order_or_range_are_refused(choices: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_choices("heads", choices, 128)
