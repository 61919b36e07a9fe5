"""The plugin of the core, which is found like every other plugin."""

from __future__ import annotations

from denas_core.hookspecs import Components, hookimpl


@hookimpl
def denas_strategies() -> Components:
    """Provide `random`, `evolution`, `regularized-evolution`, `nsga2`, `successive-halving` and `local-search`."""
    return {
        "random": "denas_core.builtin.random_search:RandomSearch",
        "evolution": "denas_core.builtin.evolution:Evolution",
        "regularized-evolution": "denas_core.builtin.regularized_evolution:RegularizedEvolution",
        "nsga2": "denas_core.builtin.nsga2:NSGA2",
        "successive-halving": "denas_core.builtin.successive_halving:SuccessiveHalving",
        "local-search": "denas_core.builtin.local_search:LocalSearch",
    }


@hookimpl
def denas_probes() -> Components:
    """Provide `compile`, `cuda-events` and `wall-clock`."""
    return {
        "compile": "denas_core.builtin.compiled:Compile",
        "cuda-events": "denas_core.builtin.cuda_events:CudaEvents",
        "wall-clock": "denas_core.builtin.wall_clock:WallClock",
    }


@hookimpl
def denas_executors() -> Components:
    """Provide `process`, `queue` and `serial`."""
    return {
        "process": "denas_core.builtin.process:Process",
        "queue": "denas_core.builtin.queue:Queue",
        "serial": "denas_core.builtin.serial:Serial",
    }


@hookimpl
def denas_exporters() -> Components:
    """Provide `safetensors`, `torch-export` and `huggingface`."""
    return {
        "huggingface": "denas_core.builtin.exporters.huggingface:HuggingFace",
        "safetensors": "denas_core.builtin.exporters.safetensors_files:Safetensors",
        "torch-export": "denas_core.builtin.exporters.torch_export:TorchExport",
    }
