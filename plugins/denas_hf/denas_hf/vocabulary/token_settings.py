"""The numbers of tokens in the settings of a checkpoint, such as ``eos_token_id`` in ``config.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_ONE, _SUPPRESSED = ("_token_id", "_token_ids"), "suppress_tokens"


def named_tokens(settings: Any) -> set[int]:
    """Return the tokens that settings name, at any depth, without those that a network must not write."""
    if isinstance(settings, list):
        return {number for inner in settings for number in named_tokens(inner)}
    if not isinstance(settings, Mapping):
        return set()
    found: set[int] = set()
    for name, value in settings.items():
        found |= _numbers(value) if name.endswith(_ONE) else named_tokens(value)
    return found


def renumbered(settings: Any, numbers: Mapping[int, int]) -> Any:
    """Return settings with the new number of each token. A token that a network must not write may be missing.

    Args:
        settings: Settings as in a JSON file.
        numbers: The new number of each token that is kept.
    """
    if isinstance(settings, list):
        return [renumbered(inner, numbers) for inner in settings]
    if not isinstance(settings, Mapping):
        return settings
    changed: dict[str, Any] = {}
    for name, value in settings.items():
        if name.endswith(_SUPPRESSED) and isinstance(value, list):
            changed[name] = [numbers[number] for number in value if number in numbers]
        elif name.endswith(_ONE):
            changed[name] = _renumbered(value, numbers)
        else:
            changed[name] = renumbered(value, numbers)
    return changed


def write_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Write settings as a JSON file."""
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _numbers(value: Any) -> set[int]:
    if isinstance(value, list):
        return {number for inner in value for number in _numbers(inner)}
    return {value} if isinstance(value, int) and not isinstance(value, bool) else set()


def _renumbered(value: Any, numbers: Mapping[int, int]) -> Any:
    if isinstance(value, list):
        return [_renumbered(inner, numbers) for inner in value]
    # A number that is not in the table of tokens, as some configurations have, stays.
    return numbers.get(value, value) if _numbers(value) else value
