"""The choices among the results of a run that have a name, such as the knee of its Pareto front."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from denas_core.errors import ConfigError

from .files import RESULT

CHOICES = {
    "best": "the best score",
    "knee": "the knee of the Pareto front",
    "fastest": "the lowest latency on the Pareto front",
    "smallest": "the fewest parameters on the Pareto front",
    "large": "the best score among the tenth with the most parameters",
}
"""What each name stands for. The keys of the architectures are under ``choices`` in ``result.json``."""


def chosen_key(run: Path, given: str) -> str:
    """Return the key of the architecture that a name of `CHOICES` stands for; any other text is returned as it is.

    Args:
        run: The run directory.
        given: What the user gave.

    Raises:
        ConfigError: the run has no such choice yet.
    """
    if given not in CHOICES:
        return given
    try:
        found = json.loads((run / RESULT).read_text(encoding="utf-8"))["choices"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(
            f"run {str(run)!r} has no result with named choices, so {given!r} names none; finish its search: "
            f"denas search --resume {shlex.quote(str(run))}"
        ) from None
    return str(check_choice(given, found))


def check_choice(name: str, found: Mapping[str, str]) -> str:
    """Return the key of a choice.

    Raises:
        ConfigError: the run has no such choice. The text says what the search lacked.
    """
    if name in found:
        return found[name]
    reasons = {
        "fastest": "no trial on the front of this run has a stable latency; search with --objective min:latency_ms",
        "large": "the result of this run does not name it; 'denas search --resume' with this run writes it again",
    }
    why = reasons.get(name, "no trial of this run is on its front")
    raise ConfigError(f"{name!r} means {CHOICES[name]}, and {why}")
