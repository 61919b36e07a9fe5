"""DE-NAS core: find a compact network for your problem and hardware without training one."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .version import __version__ as __version__

if TYPE_CHECKING:
    from .contracts.candidate import Candidate
    from .contracts.component import option
    from .contracts.executor import Executor
    from .contracts.exporter import Exporter
    from .contracts.original import Recipe
    from .contracts.probe import LatencyProbe
    from .contracts.problem import Problem
    from .contracts.score import CombinedScore, ProxyScore
    from .contracts.space import SearchSpace
    from .contracts.strategy import History, Strategy, propose_distinct
    from .contracts.task import Metric, Split, Task, TaskData
    from .contracts.trained_model import TrainedModel
    from .errors import DenasError, ScoreFailed
    from .hookspecs import hookimpl
    from .launch import resume, search
    from .models.trained import load_model, save_model
    from .registry.registry import Registry
    from .results.result import SearchResult
    from .values.architecture import Architecture, Knob
    from .values.batch import Batch, Outputs, continuous_batch
    from .values.latency import Latency
    from .values.passes import BlockCall, LayerCall, LayerMoments, PassSpec, Trace
    from .values.table import Table
    from .values.trial import Evaluation, Trial
    from .values.views import WeightView

_MODULES = {
    "contracts.candidate": ("Candidate",),
    "contracts.component": ("option",),
    "contracts.executor": ("Executor",),
    "contracts.exporter": ("Exporter",),
    "contracts.original": ("Recipe",),
    "contracts.probe": ("LatencyProbe",),
    "contracts.problem": ("Problem",),
    "contracts.score": (
        "CombinedScore",
        "ProxyScore",
    ),
    "contracts.space": ("SearchSpace",),
    "contracts.strategy": (
        "History",
        "Strategy",
        "propose_distinct",
    ),
    "contracts.task": (
        "Metric",
        "Split",
        "Task",
        "TaskData",
    ),
    "contracts.trained_model": ("TrainedModel",),
    "errors": (
        "DenasError",
        "ScoreFailed",
    ),
    "hookspecs": ("hookimpl",),
    "launch": (
        "resume",
        "search",
    ),
    "models.trained": (
        "load_model",
        "save_model",
    ),
    "registry.registry": ("Registry",),
    "results.result": ("SearchResult",),
    "values.architecture": (
        "Architecture",
        "Knob",
    ),
    "values.batch": (
        "Batch",
        "Outputs",
        "continuous_batch",
    ),
    "values.latency": ("Latency",),
    "values.passes": (
        "BlockCall",
        "LayerCall",
        "LayerMoments",
        "PassSpec",
        "Trace",
    ),
    "values.table": ("Table",),
    "values.trial": (
        "Evaluation",
        "Trial",
    ),
    "values.views": ("WeightView",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Architecture",
    "Batch",
    "BlockCall",
    "Candidate",
    "CombinedScore",
    "DenasError",
    "Evaluation",
    "Executor",
    "Exporter",
    "History",
    "Knob",
    "Latency",
    "LatencyProbe",
    "LayerCall",
    "LayerMoments",
    "Metric",
    "Outputs",
    "PassSpec",
    "Problem",
    "ProxyScore",
    "Recipe",
    "Registry",
    "ScoreFailed",
    "SearchResult",
    "SearchSpace",
    "Split",
    "Strategy",
    "Table",
    "Task",
    "TaskData",
    "Trace",
    "TrainedModel",
    "Trial",
    "WeightView",
    "continuous_batch",
    "hookimpl",
    "load_model",
    "option",
    "propose_distinct",
    "resume",
    "save_model",
    "search",
]


def __getattr__(name: str) -> Any:
    # Public names load on first use, so that the command line starts without torch and pydantic.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
