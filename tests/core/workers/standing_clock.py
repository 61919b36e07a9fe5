"""The clock of the supervisor, which stands still until a test sets it forward: no busy machine makes work late."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from denas_core.workers import supervisor


class StandingClock:
    """A clock on which a deadline passes when a test says so.

    Attributes:
        now: Its time, in seconds.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make it the clock of all supervisors of this process until the end of the test."""
        self.now = time.monotonic()
        monkeypatch.setattr(supervisor, "time", SimpleNamespace(monotonic=lambda: self.now))
