"""Checks for libraries that only some commands need."""

from __future__ import annotations

import importlib.util

from denas_core.errors import ConfigError


def require_extra(extra: str, *modules: str, purpose: str) -> None:
    """Check that libraries are installed, without importing them.

    Args:
        extra: Name of the extra of denas-core that installs them.
        modules: Names of the libraries.
        purpose: What needs the libraries, as the subject of a sentence.

    Raises:
        ConfigError: a library is missing. The text says what to install.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise ConfigError(f"{purpose} needs {' and '.join(missing)}: pip install 'denas-core[{extra}]'")


def require_libraries(*modules: str) -> None:
    """Check that libraries are installed, without importing them. Their packages have the same names.

    Raises:
        ConfigError: some are missing. The text says what to install.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise ConfigError(f"{' and '.join(missing)} {verb} not installed: pip install {' '.join(missing)}")
