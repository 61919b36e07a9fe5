"""The options of a space that are keys of BERT's configuration, and their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core.errors import did_you_mean

from .original import COMMON

OWN_OPTIONS = {"vocab_size": "vocab_size", "positions": "max_position_embeddings"}
"""Keys of the configuration that have their own option, by the option's name."""

DROPOUTS = frozenset({"hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"})
"""Keys that have an effect only in training."""

_LEAST = {"vocab_size": 1, "max_position_embeddings": 1, "type_vocab_size": 1, "pad_token_id": 0}


def given_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of the configuration that the options of a space give.

    Raises:
        ValueError: a key has its own option.
    """
    given = {key: options[name] for name, key in OWN_OPTIONS.items() if options[name] is not None}
    for name, key in OWN_OPTIONS.items():
        if key in options["config"]:
            raise ValueError(f"config has {key!r}; set the option {name!r} instead")
    return {**given, **options["config"]}


def check_settings(values: Mapping[str, Any]) -> None:
    """Check the keys of a configuration that all networks share.

    Raises:
        ValueError: a key is unknown, or its value is not possible.
    """
    for name, value in values.items():
        _check_value(name, value)
    if values["pad_token_id"] is not None and values["pad_token_id"] >= values["vocab_size"]:
        raise ValueError(
            f"pad_token_id {values['pad_token_id']} is not below vocab_size {values['vocab_size']}; change one of them"
        )


def _check_value(name: str, value: Any) -> None:
    if name not in COMMON:
        others = sorted(COMMON.keys() - OWN_OPTIONS.values())
        hint = did_you_mean(name, others) or f"; it may hold {', '.join(others)}"
        raise ValueError(f"config has {name!r}, which is not a key of BertConfig{hint}")
    if value is None and name in ("classifier_dropout", "pad_token_id"):
        return
    if isinstance(COMMON[name], str):
        is_right, wanted = isinstance(value, str), "text"
    elif name in _LEAST:
        is_right = isinstance(value, int) and not isinstance(value, bool) and value >= _LEAST[name]
        wanted = f"a whole number of at least {_LEAST[name]}"
    else:
        most = 1 if name in DROPOUTS else 100
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        is_right = is_number and 0 <= value < most
        wanted = f"a number from 0 to below {most}"
    if not is_right:
        raise ValueError(f"{name} is {value!r}, and must be {wanted}")
