"""What the plugin provides, by name; nothing is imported before it is used."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_spaces() -> Components:
    """Provide `auto`."""
    return {"auto": "denas_hf.space:Auto"}
