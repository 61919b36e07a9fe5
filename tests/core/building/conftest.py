"""Builds of the toy plugin of trainings, which take seconds."""

from __future__ import annotations

import pytest

from tests.core.training.conftest import installed as installed
from tests.core.training.conftest import points as points


@pytest.fixture(autouse=True)
def without_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Points in lines look like the rows of tagged sentences, too."""
    monkeypatch.setenv("DENAS_DISABLE_PLUGINS", "nlp")
