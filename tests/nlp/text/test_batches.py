"""Samples in little memory, and what a batch of them is."""

from __future__ import annotations

from array import array

import torch
from hypothesis import given
from hypothesis import strategies as st

from denas_nlp.text.batches import Rows, TextForm, TextSample, padded

ALL = ("input_ids", "attention_mask", "token_type_ids")


def sample(ids: list[int], segments: list[int], inputs: tuple[str, ...] = ALL) -> TextSample:
    form = TextForm(inputs=inputs, pad=9)
    return TextSample(ids=array("i", ids), segments=array("b", segments), targets=(1.0,), form=form)


def test_a_batch_is_as_long_as_its_longest_sample() -> None:
    batch = padded([sample([2, 5, 3], [0, 0, 1]), sample([7], [1])], by_position=False)
    assert batch.inputs["input_ids"].tolist() == [[2, 5, 3], [7, 9, 9]]
    assert batch.inputs["token_type_ids"].tolist() == [[0, 0, 1], [1, 0, 0]]
    assert batch.inputs["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert all(tensor.dtype == torch.int64 for tensor in batch.inputs.values())
    assert {name: mask.tolist() for name, mask in batch.masks.items()} == {
        "features": [[True, True, True], [True, False, False]]
    }
    assert dict(batch.units) == {"samples": 2.0, "tokens": 4.0}


def test_logits_of_each_token_have_the_mask_of_the_tokens() -> None:
    batch = padded([sample([2, 5], [0, 0]), sample([7], [0])], by_position=True)
    assert batch.masks["logits"].tolist() == batch.masks["features"].tolist() == [[True, True], [True, False]]


def test_a_batch_has_what_the_network_takes_and_no_more() -> None:
    batch = padded([sample([2], [0], ("input_ids",))], by_position=False)
    assert list(batch.inputs) == ["input_ids"]


@given(st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=5), max_size=6))
def test_rows_come_back_as_they_went_in(samples: list[list[int]]) -> None:
    rows = Rows()
    for ids in samples:
        rows.append(array("i", ids), array("b", [len(ids)] * len(ids)))
    assert len(rows) == len(samples)
    for index, ids in enumerate(samples):
        assert rows.length(index) == len(ids)
        assert (list(rows[index][0]), list(rows[index][1])) == (ids, [len(ids)] * len(ids))
