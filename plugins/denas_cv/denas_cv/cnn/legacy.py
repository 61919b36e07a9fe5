"""What the original's keys of CNN configurations are here."""

from __future__ import annotations

import dataclasses

from denas_core.contracts.original import KeyTable, Legacy, OldConfig, Outcome
from denas_core.errors import ConfigError
from denas_core.legacy.rules import bound, latency_bound, no_term, text, to, unused, whole
from denas_core.legacy.search_keys import EVOLUTION, SEARCH_KEYS

from .notation import parse_structure
from .skeleton import SKELETONS

LARGE_IMAGE = 96
"""Pixels from which the slots and strides of the ``imagenet`` skeleton fit better."""

USUAL_LAYERS = 3


def _engine(old: OldConfig, key: str) -> Outcome:
    outcome = SEARCH_KEYS[key](old, key)
    if old.document[key] != EVOLUTION:
        return outcome
    note = "parents come from the best so far; the original's CNN search mutated its start structure only"
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


_LOST = "it had no effect in the original: the flag got lost in the structure string"

LEGACY = Legacy(
    domains=("cnn",),
    search=KeyTable(
        keys={
            "search_engine": _engine,
            "m_prob": unused("the original's CNN search replaced one or two blocks, without probabilities"),
            "s_prob": unused("the original's CNN search replaced one or two blocks, without probabilities"),
            "budget_model_size": bound(
                "params", "<=", note="counted exactly; the original's formula missed batch-norm and biases"
            ),
            "budget_flops": bound(
                "flops", "<=", factor=2, note="the original counted a multiply-add as one, here it is two"
            ),
            "budget_num_layers": _most_layers,
            "budget_latency_max": latency_bound("<=", batch=64, per_image=True),
            "budget_latency_min": latency_bound(">=", batch=64, per_image=True),
            "img_size": _image_size,
            "num_classes": to("space.classes"),
            "batch_size": _batch_size,
            "plainnet_struct": _structure,
            "no_reslink": unused(_LOST),
            "no_BN": unused(_LOST),
            "use_se": unused(f"{_LOST}; space.squeeze_excitation has it here"),
            "diversity_weight": unused(
                "its CNN score had no such term, and cv/cnn has no attention to compute it on"
            ),
            **no_term("latency", score="CNN"),
            "max_param_limits": unused("it was read in other domains only; here it was budget_model_size"),
            "min_param_limits": unused("it was read in other domains only"),
        },
    ),
    training=KeyTable(
        task="cv/image-classification",
        keys={"input_size": _image_size, "num_classes": to("space.classes")},
    ),
)
