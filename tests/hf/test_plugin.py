"""The plugin: what it offers, and that offering it is light."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points

from denas_core import SearchSpace


def test_the_entry_point_offers_the_space() -> None:
    [entry_point] = [e for e in entry_points(group="denas") if e.name == "hf"]
    spaces = entry_point.load().denas_spaces()
    module, _, name = spaces["auto"].partition(":")
    assert issubclass(getattr(import_module(module), name), SearchSpace)


def test_neither_plugin_nor_families_import_torch_or_transformers() -> None:
    code = (
        "import sys, denas_hf.plugin, denas_hf.families; print({'torch', 'transformers'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
