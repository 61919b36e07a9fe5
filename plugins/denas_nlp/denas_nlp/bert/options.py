"""Resolve the options of a space to its largest network and the choices of its knobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from denas_core.errors import did_you_mean

from .shape import BERT_BASE, DROPOUTS, Original, derived_choices

if TYPE_CHECKING:
    from pathlib import Path

    from .checkpoint import Checkpoint

OWN_OPTIONS = {"vocab_size": "vocab_size", "positions": "max_position_embeddings"}
"""Keys of the configuration that have their own option, by the option's name."""

LIMITS = {"layers": 256, "heads": 1024, "hidden": 65_536, "intermediate": 1_048_576}
_LEAST = {"vocab_size": 1, "max_position_embeddings": 1, "type_vocab_size": 1, "pad_token_id": 0}


_KNOBS = ("layers", "heads", "hidden", "intermediate")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The resolved options of a space.

    Attributes:
        original: The original network of the space: its sizes, and the properties that all networks share.
        choices: Choices of each knob.
        checkpoint: The checkpoint, opened once for the whole space; None for BERT-base.
        trained_from: Digest of the checkpoint from which a trained model started, if the checkpoint is not available.
    """

    original: Original
    choices: Mapping[str, Sequence[int]]
    checkpoint: Checkpoint | None
    trained_from: str

    @property
    def head_size(self) -> int:
        """Number of features of a head."""
        return self.original.shape.head_size

    @property
    def source(self) -> Checkpoint | None:
        """The checkpoint, if it has weights."""
        return self.checkpoint if self.checkpoint is not None and self.checkpoint.has_weights else None

    def digest(self) -> str:
        """Return the digest of the checkpoint that gives inherited weights; empty if no weights are inherited."""
        return self.trained_from if self.source is None else self.source.digest()

    def assets(self) -> dict[str, Path]:
        """Return the checkpoint's tokenizer file, if it has one."""
        file = self.checkpoint.tokenizer if self.checkpoint else None
        return {} if file is None else {"tokenizer": file}

    def portable(self) -> dict[str, Any]:
        """Return options that hold the contents read from the checkpoint instead of its location."""
        if self.checkpoint is None:
            return {}
        config = dict(self.original.common)
        own = {name: config.pop(key) for name, key in OWN_OPTIONS.items()}
        choices = {name: list(values) for name, values in self.choices.items()}
        elsewhere = {"checkpoint": "", "allow_pickle": False, "digest": self.digest()}
        return {**own, **choices, "head_size": self.head_size, "config": config, **elsewhere}


def resolved(options: Mapping[str, Any]) -> Resolved:
    """Return the resolved options of a space.

    Raises:
        ConfigError: the checkpoint cannot be opened.
        ValueError: options contradict each other or the checkpoint, or choices are out of order or range.
    """
    checkpoint = None
    if options["checkpoint"]:
        from .checkpoint import Checkpoint

        checkpoint = Checkpoint(options["checkpoint"], allow_pickle=options["allow_pickle"])
    given = {key: options[name] for name, key in OWN_OPTIONS.items() if options[name] is not None}
    for name, key in OWN_OPTIONS.items():
        if key in options["config"]:
            raise ValueError(f"config has {key!r}; set the option {name!r} instead")
    original = _completed(
        checkpoint.original if checkpoint else BERT_BASE,
        {**given, **options["config"]},
        head_size=options["head_size"],
        is_fixed=checkpoint is not None,
    )
    choices = _choices(
        original,
        {name: options[name] for name in _KNOBS},
        tied=options["tied"],
        is_fixed=checkpoint is not None,
    )
    found = Resolved(
        original=original, choices=choices, checkpoint=checkpoint, trained_from=options["digest"]
    )
    if found.source and options["digest"] not in ("", found.digest()):
        raise ValueError(
            f"digest {options['digest']!r} does not match the checkpoint {options['checkpoint']!r}; give the one that "
            "the space was made with, or leave digest out"
        )
    return found


def _completed(
    original: Original, given: Mapping[str, Any], *, head_size: int | None, is_fixed: bool
) -> Original:
    """Return `original` with the given configuration keys and `head_size`; a checkpoint's own keys cannot change."""
    common = {**original.common, **given}
    for name, value in common.items():
        _check_value(name, value)
    shape = original.shape
    if head_size is not None and head_size != shape.head_size:
        shape = dataclasses.replace(shape, head_size=head_size, hidden=shape.heads * head_size)
    if common["pad_token_id"] is not None and common["pad_token_id"] >= common["vocab_size"]:
        raise ValueError(
            f"pad_token_id {common['pad_token_id']} is not below vocab_size {common['vocab_size']}; change one of them"
        )
    if is_fixed:
        differing = {name: value for name, value in given.items() if original.common[name] != value}
        differing = {name: value for name, value in differing.items() if name not in DROPOUTS}
        if shape != original.shape:
            differing["head_size"] = head_size
        for name, value in differing.items():
            its = original.shape.head_size if name == "head_size" else original.common[name]
            raise ValueError(f"{name} {value!r} differs from the checkpoint, which has {its!r}; leave it out")
    return Original(shape=shape, common=common)


def _choices(
    original: Original, given: Mapping[str, Sequence[int]], *, tied: bool, is_fixed: bool
) -> dict[str, list[int]]:
    """Return the choices of each knob; with a checkpoint, no choice is larger than the size of `original`."""
    shape = original.shape
    if tied and given["hidden"]:
        raise ValueError(
            f"hidden {list(given['hidden'])!r} cannot be chosen: it is the total width of the heads; choose heads, or "
            "set tied=false"
        )
    found = derived_choices(shape, tied=tied)
    for name in found:
        if given[name]:
            full = getattr(shape, name) if is_fixed else LIMITS[name]
            found[name] = _checked(name, given[name], full, is_fixed=is_fixed)
    if tied and is_fixed:
        # If a checkpoint's attention is wider than its hidden width, stock networks cannot use all of its heads.
        fitting = [heads for heads in found["heads"] if heads * shape.head_size <= shape.hidden]
        if not fitting or (given["heads"] and fitting != found["heads"]):
            raise ValueError(
                f"heads {found['heads']!r} of {shape.head_size} features do not fit into the {shape.hidden} hidden "
                "features of the checkpoint; choose fewer, or set tied=false"
            )
        found["heads"] = fitting
    return {name: found[name] for name in _KNOBS if name in found}


def _check_value(name: str, value: Any) -> None:
    known = BERT_BASE.common
    if name not in known:
        others = sorted(known.keys() - OWN_OPTIONS.values())
        hint = did_you_mean(name, others) or f"; it may hold {', '.join(others)}"
        raise ValueError(f"config has {name!r}, which is not a key of BertConfig{hint}")
    usual = known[name]
    if value is None and name in ("classifier_dropout", "pad_token_id"):
        return
    if isinstance(usual, str):
        is_right, wanted = isinstance(value, str), "text"
    elif name in _LEAST:
        is_right = isinstance(value, int) and not isinstance(value, bool) and value >= _LEAST[name]
        wanted = f"a whole number of at least {_LEAST[name]}"
    else:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        is_right = is_number and 0 <= value < (1 if name in DROPOUTS else 100)
        wanted = f"a number from 0 to below {1 if name in DROPOUTS else 100}"
    if not is_right:
        raise ValueError(f"{name} is {value!r}, and must be {wanted}")


def _checked(name: str, given: Sequence[int], full: int, *, is_fixed: bool) -> list[int]:
    if list(given) != sorted(set(given)) or given[0] < 1:
        raise ValueError(
            f"{name} {list(given)!r} must be different whole numbers of at least 1, from small to large"
        )
    if given[-1] > full:
        whose = f"the checkpoint has {full}" if is_fixed else f"the most is {full}"
        raise ValueError(f"{name} has {given[-1]}, and {whose}; choose no more")
    return list(given)
