"""The version of every distribution of DE-NAS."""

from __future__ import annotations

__version__ = "0.1.0"
