"""DE-NAS core: find a compact network for your problem and hardware without training one."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .architecture import Architecture, Knob
    from .batch import Batch, Outputs, continuous_batch
    from .candidate import Candidate
    from .component import option
    from .errors import DenasError, ScoreFailed
    from .executor import Executor
    from .exporter import Exporter
    from .hookspecs import hookimpl
    from .latency import Latency, LatencyProbe
    from .launch import resume, search
    from .passes import LayerCall, PassSpec, Trace
    from .problem import Problem
    from .recipe import Recipe
    from .registry import Registry
    from .result import SearchResult
    from .score import CombinedScore, ProxyScore, Table
    from .space import SearchSpace
    from .strategy import History, Strategy, propose_distinct
    from .task import Metric, Split, Task, TaskData
    from .trained import TrainedModel, load_model, save_model
    from .trial import Evaluation, Trial
    from .views import WeightView

_MODULES = {
    "architecture": ("Architecture", "Knob"),
    "batch": ("Batch", "Outputs", "continuous_batch"),
    "candidate": ("Candidate",),
    "component": ("option",),
    "errors": ("DenasError", "ScoreFailed"),
    "executor": ("Executor",),
    "exporter": ("Exporter",),
    "hookspecs": ("hookimpl",),
    "latency": ("Latency", "LatencyProbe"),
    "passes": ("LayerCall", "PassSpec", "Trace"),
    "problem": ("Problem",),
    "recipe": ("Recipe",),
    "registry": ("Registry",),
    "result": ("SearchResult",),
    "launch": ("resume", "search"),
    "score": ("CombinedScore", "ProxyScore", "Table"),
    "space": ("SearchSpace",),
    "strategy": ("History", "Strategy", "propose_distinct"),
    "task": ("Metric", "Split", "Task", "TaskData"),
    "trained": ("TrainedModel", "load_model", "save_model"),
    "trial": ("Evaluation", "Trial"),
    "views": ("WeightView",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Architecture",
    "Batch",
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
