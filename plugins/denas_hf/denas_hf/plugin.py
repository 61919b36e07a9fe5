"""The components of this plugin by name; their modules are imported only when they are used."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_spaces() -> Components:
    """Provide the space `auto`."""
    return {"auto": "denas_hf.space:Auto"}


@hookimpl
def denas_scores() -> Components:
    """Provide the score `fidelity`."""
    return {"fidelity": "denas_hf.fidelity:Fidelity"}
