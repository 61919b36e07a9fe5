"""How the original's CNN search configurations are read: what each of their keys is here."""

from __future__ import annotations

import dataclasses

from denas_core.errors import ConfigError
from denas_core.legacy import Legacy, OldConfig, Outcome, Rule, bound, dropped, to
from denas_core.legacy.contract import bounded
from denas_core.legacy.search_keys import EVOLUTION, SEARCH_KEYS

from .notation import parse_structure
from .skeleton import SKELETONS

LARGE_IMAGE = 96
"""Pixels from which the slots and strides of the ``imagenet`` skeleton fit better."""

USUAL_LAYERS = 3


def _engine(old: OldConfig, key: str) -> Outcome:
    outcome = SEARCH_KEYS[key](old, key)
    if old.text(key) != EVOLUTION:
        return outcome
    note = "parents come from the best so far; the original's CNN search mutated its start structure only"
    return dataclasses.replace(outcome, note=note)


def _image_size(old: OldConfig, key: str) -> Outcome:
    size = old.whole(key)
    skeleton = "imagenet" if size >= LARGE_IMAGE else "cifar"
    return Outcome(fate="translated", settings={"space.image_size": size, "space.skeleton": skeleton})


def _most_layers(old: OldConfig, key: str) -> Outcome:
    most = old.whole(key)
    skeleton = "imagenet" if old.whole("img_size", 32) >= LARGE_IMAGE else "cifar"
    slots = len(SKELETONS[skeleton].slots)
    # The first and the last convolution are one layer each.
    if most >= slots * USUAL_LAYERS + 2:
        return Outcome(
            fate="dropped", note=f"no network here has more than {slots * USUAL_LAYERS + 2} layers"
        )
    return Outcome(
        fate="changed",
        settings={"space.max_layers": max(1, (most - 2) // slots)},
        note=f"the total cannot be bounded; this bounds each of the {slots} blocks, so that the total stays within"
        if most >= slots + 2
        else f"no network here has fewer than {slots + 2} layers",
    )


def _structure(old: OldConfig, key: str) -> Outcome:
    note = "no start structure: every block is searched; 'denas score --arch' takes the string"
    try:
        blocks = parse_structure(old.text(key), origin=f"{old.origin}, {key}")
    except ConfigError as error:
        return Outcome(fate="changed", note=f"{note}; it cannot be read: {error}")
    settings: dict[str, object] = {"space.channels": blocks[0].in_channels}
    if any("IDWE" in block.type.name for block in blocks):
        settings["space.inverted"] = True
    return Outcome(fate="changed", settings=settings, note=note)


def _latency(sign: str) -> Rule:
    def rule(old: OldConfig, key: str) -> Outcome:
        batch = old.whole("batch_size", 64)
        return Outcome(
            fate="translated",
            constraints=(bounded(old, key, "latency_ms", sign, 1000 * batch),),
            settings={"probe.batch_size": batch},
            note=f"milliseconds a batch of {batch}, as the original timed it; it divided by {batch}",
        )

    return rule


def _batch_size(old: OldConfig, key: str) -> Outcome:
    size = old.whole(key)
    return Outcome(fate="translated", settings={} if size == 64 else {"score.batch_size": size})


_NO_EFFECT = "it had no effect in the original: the flag got lost in the structure string"
_ZERO = "it had no effect in the original: its CNN score had no {} term"

LEGACY = Legacy(
    domains=("cnn",),
    keys={
        "search_engine": _engine,
        "budget_model_size": bound(
            "params", "<=", note="counted exactly; the original's formula missed batch-norm and biases"
        ),
        "budget_flops": bound(
            "flops", "<=", factor=2, note="the original counted a multiply-add as one, here it is two"
        ),
        "budget_num_layers": _most_layers,
        "budget_latency_max": _latency("<="),
        "budget_latency_min": _latency(">="),
        "img_size": _image_size,
        "num_classes": to("space.classes"),
        "batch_size": _batch_size,
        "plainnet_struct": _structure,
        "no_reslink": dropped(_NO_EFFECT),
        "no_BN": dropped(_NO_EFFECT),
        "use_se": dropped(f"{_NO_EFFECT}; space.squeeze_excitation has it here"),
        "diversity_weight": dropped(
            f"{_ZERO.format('diversity')}, and cv/cnn has no attention to compute it on"
        ),
        "latency_weight": dropped(f"{_ZERO.format('latency')}; score.weights.latency has it here"),
        "max_param_limits": dropped(
            "the original read it in other domains only; its CNN bound is budget_model_size"
        ),
        "min_param_limits": dropped("the original read it in other domains only"),
    },
)
