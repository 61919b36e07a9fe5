"""The plugins of this project. Errors use this list to suggest what to install.

``tests/repo/test_plugin_lists.py`` compares these names with the folders below ``plugins``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PLUGINS = frozenset(
    {
        "adapters",
        "asr",
        "bench",
        "cv",
        "executorch",
        "hf",
        "nlp",
        "onnx",
        "openvino",
        "optuna",
        "ray",
        "scores",
    }
)
"""Names of the plugins. The distribution of each is ``denas-<name>``."""

COMMANDS: Mapping[str, str] = MappingProxyType({"data check": "asr"})
"""Commands that plugins add to ``denas``, with the plugin that each belongs to."""

DATA: Mapping[str, str] = MappingProxyType({"asr": "speech", "cv": "images", "nlp": "texts"})
"""The data that the tasks of plugins read."""

SHRINKING = "hf"
"""The plugin whose space makes checkpoints smaller."""
