"""Choose the code for filterbanks and resampling: torchaudio if it works, otherwise the equal code of this package."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
from types import ModuleType

from denas_core.errors import describe_error

INSTALL = "pip install 'denas-asr[torchaudio]'"


def torchaudio() -> ModuleType | None:
    """Return torchaudio with its filterbanks; None if it is not installed or does not work with this torch."""
    return _looked_for()[0]


def in_use() -> str:
    """Return a line for ``denas doctor``: which code computes features, why, and how to change it."""
    found, fault = _looked_for()
    version = _version("torchaudio")
    if found is not None:
        return f"torchaudio {version}; equal code of denas-asr takes over after: pip uninstall torchaudio"
    own = "code of denas-asr, equal to torchaudio"
    if version is None:
        return f"{own}, which is not installed; for that: {INSTALL}"
    return (
        f"{own}, since torchaudio {version} does not import: {fault}; for that, install the build that belongs to "
        f"torch {_version('torch')}"
    )


@functools.cache
def _looked_for() -> tuple[ModuleType | None, str]:
    """Import torchaudio once; return it, or the reason why it cannot be imported."""
    try:
        importlib.import_module("torchaudio.compliance.kaldi")
        return importlib.import_module("torchaudio"), ""
    # A torchaudio built for another torch fails with OSError or RuntimeError.
    except Exception as error:
        return None, describe_error(error)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
