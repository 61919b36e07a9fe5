"""Translate the original's keys of CNN configurations."""

from __future__ import annotations

import dataclasses

from denas_core.errors import ConfigError
from denas_core.legacy import (
    EVOLUTION,
    NO_TERM,
    SEARCH_KEYS,
    KeyTable,
    Legacy,
    OldConfig,
    Outcome,
    bound,
    latency_bounds,
    text,
    to,
    whole,
)

from .notation import parse_structure
from .skeleton import SKELETONS

LARGE_IMAGE = 96
"""Image size from which the slots and strides of the ``imagenet`` skeleton suit better."""

USUAL_LAYERS = 3


def _engine(old: OldConfig, key: str) -> Outcome:
    outcome = SEARCH_KEYS.keys[key](old, key)
    if old.document[key] != EVOLUTION:
        return outcome
    note = "parents are the best networks so far; the original's CNN search mutated only its start structure"
    return dataclasses.replace(outcome, note=note)


def _skeleton(size: int) -> str:
    return "imagenet" if size >= LARGE_IMAGE else "cifar"


def _image_size(old: OldConfig, key: str) -> Outcome:
    size = old.read(key, whole)
    return Outcome(settings={"space.image_size": size, "space.skeleton": _skeleton(size)})


def _most_layers(old: OldConfig, key: str) -> Outcome:
    most = old.read(key, whole)
    slots = len(SKELETONS[_skeleton(old.read("img_size", whole, 32))].slots)
    # The first and the last convolution are one layer each.
    largest, smallest = slots * USUAL_LAYERS + 2, slots + 2
    if most >= largest:
        return Outcome(fate="default", note=f"no network here has more than {largest} layers")
    note = (
        f"the total cannot be bounded; this bounds each of the {slots} blocks, so that the total stays within"
    )
    return Outcome(
        settings={"space.max_layers": max(1, (most - 2) // slots)},
        note=note if most >= smallest else f"no network here has fewer than {smallest} layers",
    )


def _structure(old: OldConfig, key: str) -> Outcome:
    note = "no start structure: every block is searched; 'denas score --arch' takes the string"
    try:
        blocks = parse_structure(old.read(key, text), origin=f"{old.origin}, {key}")
    except ConfigError as error:
        return Outcome(fate="missing", note=f"{note}; it cannot be read: {error}")
    settings: dict[str, object] = {"space.channels": blocks[0].in_channels}
    if any("IDWE" in block.type.name for block in blocks):
        settings["space.inverted"] = True
    return Outcome(settings=settings, note=note)


def _batch_size(old: OldConfig, key: str) -> Outcome:
    size = old.read(key, whole)
    # None, the score's default, is 64 for images.
    return Outcome(fate="default") if size == 64 else Outcome(settings={"score.batch_size": size})


_LOST = "the flag got lost in the structure string"

LEGACY = Legacy(
    domains=("cnn",),
    search=KeyTable(
        keys={
            "search_engine": _engine,
            "budget_model_size": bound("params", "<=", note="all are counted here, and not all were there"),
            "budget_flops": bound(
                "flops", "<=", factor=2, note="a multiply-add is two here, and was one there"
            ),
            "budget_num_layers": _most_layers,
            **latency_bounds(batch=64, per_image=True),
            "img_size": _image_size,
            "num_classes": to("space.classes"),
            "batch_size": _batch_size,
            "plainnet_struct": _structure,
        },
        unused={
            "one or two blocks were replaced, without probabilities": "m_prob s_prob",
            _LOST: "no_reslink no_BN",
            f"{_LOST}; space.squeeze_excitation has it here": "use_se",
            NO_TERM: "latency_weight",
            "its CNN score had no such term, and cv/cnn has no attention to compute it on": "diversity_weight",
            "it was read in other domains only; here it was budget_model_size": "max_param_limits",
            "it was read in other domains only": "min_param_limits",
        },
    ),
    training=KeyTable(
        task="cv/image-classification",
        keys={"input_size": _image_size, "num_classes": to("space.classes")},
    ),
)
