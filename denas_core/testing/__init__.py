"""The conformance kit: checks that every component can be put to, as test classes and for ``denas check``.

Nothing here needs pytest: the test classes are plain classes, and a check that does not apply raises a
`unittest.SkipTest`, which test runners know.
"""

from __future__ import annotations

from .check import CheckFailed, CheckSkipped
from .classes import (
    CombinedScoreTests,
    ExecutorTests,
    ExporterTests,
    ProbeTests,
    ScoreTests,
    SpaceTests,
    StrategyTests,
    TaskTests,
)

__all__ = [
    "CheckFailed",
    "CheckSkipped",
    "CombinedScoreTests",
    "ExecutorTests",
    "ExporterTests",
    "ProbeTests",
    "ScoreTests",
    "SpaceTests",
    "StrategyTests",
    "TaskTests",
]
