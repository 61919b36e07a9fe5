"""The components of this plugin by name; their modules are imported only when they are used."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_strategies() -> Components:
    """Provide the strategies ``tpe``, ``gp`` and ``nsga2``, which use samplers of Optuna."""
    return {
        "tpe": "denas_optuna.tpe:TPE",
        "gp": "denas_optuna.gp:GaussianProcess",
        "nsga2": "denas_optuna.nsga2:NSGA2",
    }


@hookimpl
def denas_exporters() -> Components:
    """Provide the exporter ``optuna`` of whole runs."""
    return {"optuna": "denas_optuna.exporter:StudyFile"}
