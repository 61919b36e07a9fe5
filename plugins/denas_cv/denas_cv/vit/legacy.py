"""Translate the original's keys of ViT configurations."""

from __future__ import annotations

from denas_core.legacy import (
    NO_TERM,
    KeyTable,
    Legacy,
    OldConfig,
    Outcome,
    Rule,
    flag,
    latency_weight,
    layered_choices,
    millions,
    number,
    to,
)


def _change_qkv(old: OldConfig, key: str) -> Outcome:
    return Outcome(settings={"space.head_size": 64 if old.read(key, flag) else 0})


def _not(target: str) -> Rule:
    return lambda old, key: Outcome(settings={target: not old.read(key, flag)})


_NETWORK: dict[str, Rule] = {
    "num_classes": to("space.classes"),
    "patch_size": to("space.patch_size"),
    "max_relative_position": to("space.max_relative_position"),
    "relative_position": to("space.relative_position", flag),
    "gp": to("space.global_pooling", flag),
    "change_qkv": _change_qkv,
}
_ONE_NETWORK = {"only the candidate is built, never a network that holds all": "SUPERNET"}

LEGACY = Legacy(
    domains=("vit", "transformer"),
    search=KeyTable(
        keys={
            **_NETWORK,
            **millions("params"),
            "SEARCH_SPACE": layered_choices({}),
            "img_size": to("space.image_size"),
            "abs_pos": to("space.absolute_position", flag),
            "drop_path_rate": to("space.drop_path", number),
            "latency_weight": latency_weight("second an image"),
        },
        unused={
            "the original stopped; here latency_ms can be bounded": "budget_latency_max budget_latency_min",
            "the score looked at one image; probe.batch_size has the batch that it timed": "batch_size",
            NO_TERM: "expressivity_weight complexity_weight",
        },
        missing={
            **_ONE_NETWORK,
            "scores are taken without dropout, and networks here have stochastic depth": "drop_rate",
        },
    ),
    training=KeyTable(
        preset="denas",
        task="cv/image-classification",
        keys={
            **_NETWORK,
            "input_size": to("space.image_size"),
            "no_abs_pos": _not("space.absolute_position"),
            "drop_path": to("space.drop_path", number),
        },
        missing=_ONE_NETWORK,
    ),
)
