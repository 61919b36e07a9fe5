"""The plugin: what it offers, and that offering it is light."""

from __future__ import annotations

import subprocess
import sys

from denas_core.registry.registry import Registry
from denas_optuna.exporter import StudyFile
from denas_optuna.tpe import TPE


def test_the_entry_point_offers_strategies_and_the_exporter() -> None:
    registry = Registry.discover()
    assert registry.load("exporter", "optuna") is StudyFile
    assert registry.load("strategy", "tpe") is TPE
    found = [id for id in registry.ids("strategy") if id.startswith("optuna/")]
    assert found == ["optuna/gp", "optuna/nsga2", "optuna/tpe"]
    # The short name of the built-in strategy keeps its meaning.
    assert registry.resolve("strategy", "nsga2") == "builtin/nsga2"


def test_neither_plugin_nor_components_import_optuna_or_torch() -> None:
    code = (
        "import sys, denas_optuna.plugin, denas_optuna.tpe, denas_optuna.gp, denas_optuna.nsga2; "
        "import denas_optuna.exporter; "
        "print({'torch', 'optuna', 'sqlalchemy', 'scipy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
