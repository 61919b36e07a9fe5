"""Reading configurations of the original DE-NAS: tables say what becomes of each key."""

from __future__ import annotations

from denas_core.contracts.original import KeyTable, Legacy, OldConfig, Outcome, Rule

from .rules import (
    NO_TERM,
    TEXT_KEYS,
    bound,
    flag,
    latency_bounds,
    latency_weight,
    layered_choices,
    mapping,
    millions,
    number,
    text,
    to,
    whole,
)
from .search_keys import EVOLUTION, SEARCH_KEYS

__all__ = [
    "EVOLUTION",
    "NO_TERM",
    "SEARCH_KEYS",
    "TEXT_KEYS",
    "KeyTable",
    "Legacy",
    "OldConfig",
    "Outcome",
    "Rule",
    "bound",
    "flag",
    "latency_bounds",
    "latency_weight",
    "layered_choices",
    "mapping",
    "millions",
    "number",
    "text",
    "to",
    "whole",
]
