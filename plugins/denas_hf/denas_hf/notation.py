"""The notation of the original DE-NAS for models of transformers: a mapping of keys of their configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core.errors import ConfigError, did_you_mean, safe_repr

from .bounds import Bounds

COMMON = {
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "hidden": "hidden_size",
    "intermediate": "intermediate_size",
}
"""The keys that most configurations have, by knob; the others answer to them too."""


def config_keys(bounds: Bounds) -> dict[str, str]:
    """Return the knob, or size, that each key of a configuration is for."""
    family = bounds.original.family
    own = {name: getattr(family, name) for name in COMMON}
    return {key: name for names in (own, COMMON) for name, key in names.items()}


def knob_values(given: Mapping[str, Any], bounds: Bounds, *, origin: str) -> dict[str, Any]:
    """Return the values of knobs that keys of a configuration stand for; a size that is not named is the original's.

    A hidden width may be one of the choices, or what the number of heads makes of it.

    Raises:
        ConfigError: a key that is none of the four sizes, or a hidden width that the heads cannot share.
    """
    keys = config_keys(bounds)
    values = _named(given, keys, origin)
    full = bounds.original.dimensions
    filled = {name: values.get(name, getattr(full, name)) for name in COMMON}
    if not bounds.hidden:
        heads, hidden = filled["heads"], filled.pop("hidden")
        # Whether it is a choice is for the space to say.
        if "hidden" in values and isinstance(heads, int) and hidden != bounds.width_of(heads):
            raise ConfigError(
                f"a hidden width of {hidden!r:.40} is not {heads} heads of {bounds.original.head_width} features "
                f"({origin}); make it {bounds.width_of(heads)}, or set head_width=free"
            )
        return filled
    if not bounds.original.is_head_free and filled["heads"] in bounds.heads:
        filled["hidden"] = _choice_for(filled["hidden"], filled["heads"], bounds, origin)
    return filled


def is_config(document: Mapping[str, Any], bounds: Bounds) -> bool:
    """Tell whether `document` is meant as keys of a configuration, and not as values of knobs."""
    return any(key in config_keys(bounds) and key not in COMMON for key in document)


def _named(given: Mapping[str, Any], keys: Mapping[str, str], origin: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in keys:
            hint = did_you_mean(str(key), keys) or f"; choose from {', '.join(keys)}"
            raise ConfigError(f"{key!r:.60} is no size of an architecture ({origin}){hint}")
        name = keys[key]
        if name in values and values[name] != value:
            raise ConfigError(f"{safe_repr(dict(given))} names the {name} twice, and differently ({origin})")
        values[name] = value
    return values


def _choice_for(hidden: Any, heads: int, bounds: Bounds, origin: str) -> Any:
    for choice in bounds.hidden:
        if bounds.hidden_of(heads, choice) == hidden:
            return choice
    if hidden in bounds.hidden and bounds.hidden_of(heads, hidden) < hidden // heads * heads:
        raise ConfigError(
            f"a hidden width of {hidden!r} makes {heads} heads of {hidden // heads} features ({origin}), and there are "
            f"weights for {bounds.widest_head} at most; make it {heads * bounds.widest_head} or less"
        )
    return hidden
