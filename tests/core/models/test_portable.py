"""What exports keep of the paths in a model: their last parts."""

from __future__ import annotations

import pytest

from denas_core.models.portable import portable_model, without_paths
from tests.core.exported import sample_model


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("/home/someone/data/photos", "photos"),
        ("/data/", "data"),
        ("data/photos", "data/photos"),
        ("/", "/"),
        ("owner/name", "owner/name"),
        ({"a": ["/tmp/x.csv", 1, None]}, {"a": ["x.csv", 1, None]}),
        (0.5, 0.5),
    ],
)
def test_an_absolute_path_becomes_its_last_part(value: object, kept: object) -> None:
    assert without_paths(value) == kept


def test_a_model_keeps_its_facts_because_labels_may_look_like_paths() -> None:
    model = sample_model()
    made = portable_model(model)
    assert made.facts == model.facts and made.network is model.network
