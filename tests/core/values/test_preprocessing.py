"""How inputs are made never hides what the exported network has."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from denas_core import Preprocessing, TextInput, TrainedModel
from denas_core.models import describe_inputs
from denas_core.testing import SampleMLP
from tests.core.exported import model_of

X = [{"name": "x", "shape": ["batch", 12], "dtype": "float32"}]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Preprocessing):
    """Inputs whose description says of itself what an export says."""

    kind: ClassVar[str] = "rows"
    columns: int

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, and keys of the export."""
        return {
            **Preprocessing.as_dict(self),
            "inputs": ["x"],
            "outputs": 2,
            "labels": None,
            "schema": "rows/1",
        }


@dataclasses.dataclass(kw_only=True)
class Tabular(SampleMLP):
    """A space that says how its inputs are made."""

    def preprocessing(self) -> Preprocessing | None:
        """Return the columns."""
        return Rows(columns=12)


def described(facts: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    model: TrainedModel = model_of(Tabular().named("sample/tabular"), facts=facts)
    return describe_inputs(model, ["logits"], **others)


def test_the_network_itself_has_the_last_word() -> None:
    found = described({"labels": ["cat", "dog"]})
    assert found == {
        "schema": "denas.preprocessing/1",
        "kind": "rows",
        "activation": "",
        "columns": 12,
        "inputs": X,
        "outputs": ["logits"],
        "labels": ["cat", "dog"],
    }


def test_a_form_may_have_other_inputs_than_its_network() -> None:
    assert (
        described({}, inputs=[], inside=True).items()
        >= {"inputs": [], "inside": True, "outputs": ["logits"]}.items()
    )


@pytest.mark.parametrize("name", ["inputs", "outputs", "labels", "schema"])
def test_a_field_with_the_name_of_a_key_of_exports_is_refused(name: str) -> None:
    text = f"Rows: a field of a Preprocessing cannot be called '{name}', because exports describe the network under"
    with pytest.raises(TypeError, match=text):
        type("Rows", (Preprocessing,), {"__annotations__": {name: "list[str]"}})


def test_tokens_name_their_inputs_under_a_key_of_their_own() -> None:
    found = TextInput(token_inputs=("input_ids",), max_length=8, tokenizer="{}").as_dict()
    assert found == {
        "kind": "text",
        "activation": "",
        "token_inputs": ["input_ids"],
        "max_length": 8,
        "tokenizer": "tokenizer.json",
    }
