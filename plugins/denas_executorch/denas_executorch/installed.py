"""A check that ExecuTorch is installed, before anything imports it."""

from __future__ import annotations

import importlib.util

from denas_core.errors import ConfigError


def check_installed() -> None:
    """Check that ExecuTorch is installed.

    Raises:
        ConfigError: it is not; the text says how to install it.
    """
    if importlib.util.find_spec("executorch") is None:
        raise ConfigError("executorch is not installed: pip install executorch")
