"""What is never read of a folder of data, by its name."""

from __future__ import annotations

import pytest

from denas_core import is_hidden


@pytest.mark.parametrize(
    "name", [".DS_Store", "._a.flac", "__MACOSX", "Thumbs.db", "thumbs.db", "Desktop.ini", "$RECYCLE.BIN"]
)
def test_leftovers_are_hidden_in_any_case(name: str) -> None:
    assert is_hidden(name)


@pytest.mark.parametrize("name", ["a.wav", "macosx", "thumbs.jpg", "_background_noise_", "train"])
def test_data_are_not_hidden(name: str) -> None:
    assert not is_hidden(name)
