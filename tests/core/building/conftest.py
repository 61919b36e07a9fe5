"""Builds of the toy plugin of trainings, which take seconds."""

from __future__ import annotations

from tests.core.training.conftest import installed as installed
from tests.core.training.conftest import points as points
