"""The folder of an export while it is made."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from denas_core.models.export_folder import export_folder


def test_a_signal_at_the_very_beginning_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fcntl, "flock", stopped)
    with pytest.raises(KeyboardInterrupt), export_folder(tmp_path / "new" / "export", replace=False):
        pass
    assert list(tmp_path.iterdir()) == []
