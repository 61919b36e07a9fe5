"""The notation of the original DE-NAS for transformers models: a mapping of configuration keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core.errors import ConfigError, did_you_mean, safe_repr

from .bounds import Bounds
from .original import Dimensions
from .stages import knob_name

COMMON = {
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "hidden": "hidden_size",
    "intermediate": "intermediate_size",
}
"""The usual configuration key for each knob; configurations with other keys accept these too."""


def config_keys(bounds: Bounds) -> dict[str, str]:
    """Return the knob or size for each configuration key."""
    family = bounds.original.family
    if bounds.stages:
        return {family.stages: "stages"}
    own = {name: getattr(family, name) for name in COMMON}
    return {key: name for names in (own, COMMON) for name, key in names.items()}


def config_values(bounds: Bounds, sizes: Dimensions) -> dict[str, Any]:
    """Return the sizes by configuration key: the usual keys, or the list of the numbers of layers of stages."""
    if bounds.stages:
        return {bounds.original.family.stages: list(sizes.stages)}
    return {key: getattr(sizes, name) for name, key in COMMON.items()}


def knob_values(given: Mapping[str, Any], bounds: Bounds, *, origin: str) -> dict[str, Any]:
    """Return knob values for configuration keys; a size that is not given is the original's.

    A hidden width may be one of the choices, or the width to which a choice is reduced for the number of heads.

    Raises:
        ConfigError: a key is not one of the four sizes, or the heads do not divide the hidden width; or the numbers of
            layers are not one for each stage.
    """
    keys = config_keys(bounds)
    values = _named(given, keys, origin)
    if bounds.stages:
        return _stage_values(values["stages"], bounds, origin)
    full = bounds.original.dimensions
    filled = {name: values.get(name, getattr(full, name)) for name in COMMON}
    if not bounds.hidden:
        heads, hidden = filled["heads"], filled.pop("hidden")
        # The space checks later whether the value is one of its choices.
        if "hidden" in values and isinstance(heads, int) and hidden != bounds.width_of(heads):
            raise ConfigError(
                f"a hidden width of {hidden!r:.40} is not {heads} heads of {bounds.original.head_width} features "
                f"({origin}); make it {bounds.width_of(heads)}, or set head_width=free"
            )
        return filled
    # The choice itself, because 6.0 equals 6 and is no number of heads to calculate with.
    heads = next((choice for choice in bounds.heads if choice == filled["heads"]), None)
    if not bounds.original.is_head_free and heads is not None:
        filled["hidden"] = _choice_for(filled["hidden"], heads, bounds, origin)
    return filled


def is_config(document: Mapping[str, Any], bounds: Bounds) -> bool:
    """Return whether `document` has configuration keys instead of values of knobs."""
    return any(key in config_keys(bounds) and key not in COMMON for key in document)


def _named(given: Mapping[str, Any], keys: Mapping[str, str], origin: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in keys:
            hint = did_you_mean(str(key), keys) or f"; choose from {', '.join(keys)}"
            raise ConfigError(f"{key!r:.60} is not a size of an architecture ({origin}){hint}")
        name = keys[key]
        if name in values and values[name] != value:
            raise ConfigError(
                f"{safe_repr(dict(given))} gives two different values for the {name} ({origin})"
            )
        values[name] = value
    return values


def _stage_values(depths: Any, bounds: Bounds, origin: str) -> dict[str, Any]:
    count = len(bounds.stages)
    if not isinstance(depths, (list, tuple)) or len(depths) != count:
        raise ConfigError(
            f"{bounds.original.family.stages} {depths!r:.60} must be a list of {count} numbers of layers, one for each "
            f"stage ({origin})"
        )
    return {knob_name(stage): depth for stage, depth in enumerate(depths)}


def _choice_for(hidden: Any, heads: int, bounds: Bounds, origin: str) -> Any:
    for choice in bounds.hidden:
        if bounds.hidden_of(heads, choice) == hidden:
            return choice
    if hidden in bounds.hidden and bounds.hidden_of(heads, hidden) < hidden // heads * heads:
        raise ConfigError(
            f"a hidden width of {hidden!r} makes {heads} heads of {hidden // heads} features ({origin}), but there are "
            f"weights for {bounds.widest_head} at most; make it {heads * bounds.widest_head} or less"
        )
    return hidden
