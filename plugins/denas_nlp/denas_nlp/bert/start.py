"""Resolve the options of a space to its original network, the checkpoint and the choices of sizes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from denas_core.errors import ConfigError
from denas_core.pretrained import Pretrained
from denas_hf import Dimensions, Start

from .choices import LIMITS, bounds_of
from .original import BERT_BASE, COMMON, HEAD_SIZE, SIZES, BertOriginal
from .settings import DROPOUTS, check_settings, given_settings


def start_of(options: Mapping[str, Any]) -> Start:
    """Return the resolved options of a space.

    Raises:
        ConfigError: the checkpoint cannot be opened, or it is not a BERT encoder.
        ValueError: options contradict each other or the checkpoint, or choices are out of order or range.
    """
    given, reference = given_settings(options), options["checkpoint"]
    if reference:
        # The import registers the networks whose hidden width is a choice of its own.
        from . import hf  # noqa: F401

        pretrained = Pretrained.open(reference, allow_pickle=options["allow_pickle"])
        found = _read(pretrained, reference)
    else:
        pretrained = Pretrained({"model_type": "bert", **COMMON}, None, origin="nlp/bert")
        found = BertOriginal.of(BERT_BASE, head_size=HEAD_SIZE, common=COMMON)
    original = _completed(found, given, options["head_size"])
    if reference:
        _check_unchanged(found, original, given)
    choices = {name: options[name] for name in LIMITS}
    bounds = bounds_of(original, choices, tied=options["tied"], is_fixed=bool(reference))
    return Start(pretrained, original, bounds, options["inherit"], options["digest"])


def _completed(found: BertOriginal, given: Mapping[str, Any], head_size: int | None) -> BertOriginal:
    """Return the original network with the settings in `given`, and with heads of `head_size` features."""
    common = {**found.common, **given}
    check_settings(common)
    sizes = found.dimensions
    if head_size is None or head_size == found.head_width:
        return BertOriginal.of(sizes, head_size=found.head_width, common=common)
    sizes = dataclasses.replace(sizes, hidden=sizes.heads * head_size)
    return BertOriginal.of(sizes, head_size=head_size, common=common)


def _check_unchanged(found: BertOriginal, original: BertOriginal, given: Mapping[str, Any]) -> None:
    """Check that options leave the network of a checkpoint as it is, except for its dropouts."""
    names = [*(name for name in given if name not in DROPOUTS), SIZES["head_size"]]
    for name in names:
        its, wanted = getattr(found.config, name), getattr(original.config, name)
        if its != wanted:
            option = "head_size" if name == SIZES["head_size"] else name
            raise ValueError(
                f"{option} {wanted!r} differs from the checkpoint, which has {its!r}; leave it out"
            )


def _read(pretrained: Pretrained, reference: str) -> BertOriginal:
    """Return the network of a checkpoint."""
    from .hf import DenasBertConfig

    config: Any = pretrained.config
    if config.model_type not in ("bert", DenasBertConfig.model_type):
        raise ConfigError(
            f"the checkpoint {reference!r} is of model type {config.model_type!r}, but nlp/bert supports only BERT; "
            "hf/auto supports other families"
        )
    is_decoder = config.is_decoder or config.add_cross_attention
    positions = pretrained.values.get("position_embedding_type", "absolute")
    if is_decoder or positions != "absolute":
        what = "a decoder" if is_decoder else f"a network with {positions!r} positions"
        raise ConfigError(
            f"the checkpoint {reference!r} is {what}, but nlp/bert needs an encoder with absolute positions; "
            "give another checkpoint"
        )
    sizes: dict[str, Any] = {name: getattr(config, key, 1) for name, key in SIZES.items()}
    for name, size in sizes.items():
        if type(size) is not int or size < 1:
            raise ConfigError(f"the checkpoint {reference!r} has {size!r} as its {name}; download it again")
    head_size = sizes.pop("head_size")
    if not isinstance(config, DenasBertConfig):
        if sizes["hidden"] % sizes["heads"]:
            raise ConfigError(
                f"the checkpoint {reference!r} has {sizes['hidden']} hidden features, which {sizes['heads']} heads "
                "cannot divide equally; give another checkpoint"
            )
        head_size = sizes["hidden"] // sizes["heads"]
    common = {name: getattr(config, name) for name in COMMON}
    return BertOriginal.of(Dimensions(**sizes), head_size=head_size, common=common)
