"""The components of this plugin by name; their modules are imported only when they are used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from denas_core import Components, hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def denas_spaces() -> Components:
    """Provide the spaces `transformer`, `conformer` and `keywords`."""
    return {
        "transformer": "denas_asr.transformer.space:Transformer",
        "conformer": "denas_asr.conformer.space:Conformer",
        "keywords": "denas_asr.keywords.space:Keywords",
    }


@hookimpl
def denas_tasks() -> Components:
    """Provide the tasks `speech-recognition` and `keyword-spotting`."""
    return {
        "speech-recognition": "denas_asr.task.recognition:SpeechRecognition",
        "keyword-spotting": "denas_asr.keywords.task:KeywordSpotting",
    }


@hookimpl
def denas_doctor() -> Mapping[str, str]:
    """Report which code computes features."""
    from .features.backend import in_use

    return {"features": in_use()}


@hookimpl
def denas_add_commands(app: typer.Typer) -> None:
    """Add the command `data`."""
    from .commands import data

    app.add_typer(data.app, name="data")
