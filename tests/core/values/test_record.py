from __future__ import annotations

import pickle
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.values.record import Record


@given(st.dictionaries(st.text(), st.integers()))
def test_a_record_is_the_mapping_it_was_made_from(content: dict[str, int]) -> None:
    record = Record(content)
    assert record == content
    assert list(record.items()) == list(content.items())
    assert len(record) == len(content)
    assert repr(record) == repr(content)
    restored = pickle.loads(pickle.dumps(record))  # noqa: S301  (our own)
    assert restored == record
    assert type(restored) is Record


def test_a_missing_name_is_a_key_error_without_a_value_error_behind_it() -> None:
    with pytest.raises(KeyError, match="'b'") as caught:
        Record({"a": 1})["b"]
    assert caught.value.__suppress_context__


def test_a_record_cannot_be_changed_and_does_not_follow_its_source() -> None:
    source = {"a": 1}
    record = Record(source)
    source["a"] = 2
    with pytest.raises(TypeError):
        record["a"] = 3  # type: ignore[index]
    assert record["a"] == 1


def test_records_of_equal_names_share_them() -> None:
    names = [f"block{i}.type" for i in range(30)]
    first, second = (Record(dict.fromkeys(names, i)) for i in range(2))
    assert next(iter(first)) is next(iter(second))
    assert sys.getsizeof(first) < sys.getsizeof(dict(first)) / 3


@given(st.lists(st.one_of(st.integers(-1, 256), st.booleans(), st.floats(allow_nan=False))))
def test_small_numbers_come_back_as_what_they_were(values: list[float]) -> None:
    record = Record({str(i): value for i, value in enumerate(values)})
    assert [(type(value), value) for value in record.values()] == [(type(value), value) for value in values]


def test_twenty_small_numbers_take_a_byte_each() -> None:
    record = Record({f"layer{i}": i for i in range(20)})
    assert sys.getsizeof(record._values) < sys.getsizeof(tuple(range(20))) / 3
