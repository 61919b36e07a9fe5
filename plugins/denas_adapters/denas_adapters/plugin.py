"""The components of this plugin by name; their modules are imported only when they are used."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_spaces() -> Components:
    """Provide the space `hf`."""
    return {"hf": "denas_adapters.space:Adapters"}


@hookimpl
def denas_scores() -> Components:
    """Provide the scores of adapters at initialisation."""
    return {
        "gain": "denas_adapters.gain:Gain",
        "grad-norm": "denas_adapters.grad_norm:AdapterGradNorm",
    }


@hookimpl
def denas_exporters() -> Components:
    """Provide the forms `peft` and `merged`."""
    return {
        "peft": "denas_adapters.peft_export:Peft",
        "merged": "denas_adapters.merged_export:Merged",
    }
