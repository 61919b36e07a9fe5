"""Libraries that only some commands need."""

from __future__ import annotations

import importlib.util

from denas_core.errors import ConfigError


def require_extra(extra: str, *modules: str, purpose: str) -> None:
    """Refuse what needs libraries that are not installed; imports none of them.

    Args:
        extra: Name of the extra of denas-core that brings them.
        modules: Their names.
        purpose: What needs them, as the subject of a sentence.

    Raises:
        ConfigError: one is missing; says what to install.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise ConfigError(f"{purpose} needs {' and '.join(missing)}: pip install 'denas-core[{extra}]'")
