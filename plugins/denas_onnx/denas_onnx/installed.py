"""A check that the libraries of ONNX are installed, before anything imports them."""

from __future__ import annotations

import importlib.util

from denas_core.errors import ConfigError

LIBRARIES = ("onnx", "onnxscript", "onnxruntime")


def check_installed() -> None:
    """Check that `LIBRARIES` are installed.

    Raises:
        ConfigError: one is not; the text says how to install it.
    """
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise ConfigError(f"{' and '.join(missing)} {verb} not installed: pip install {' '.join(missing)}")
