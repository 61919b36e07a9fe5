"""Plugins of this project, for hints on what to install where one is missing.

``tests/repo/test_plugin_lists.py`` compares these names with the folders below ``plugins``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PLUGINS = frozenset({"asr", "bench", "cv", "hf", "nlp", "onnx", "scores"})
"""Names of plugins; the distribution of each is ``denas-<name>``."""

COMMANDS: Mapping[str, str] = MappingProxyType({"data": "asr", "transcribe": "asr"})
"""The plugin of each command that plugins add to ``denas``."""
