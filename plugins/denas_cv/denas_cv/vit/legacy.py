"""How the original's ViT search configurations are read: what each of their keys is here."""

from __future__ import annotations

from denas_core.legacy import Legacy, OldConfig, Outcome, bound, dropped, to
from denas_core.legacy.layered import layered_choices


def _flag(old: OldConfig, key: str) -> bool:
    value = old.get(key)
    if not isinstance(value, bool):
        raise old.refused(key, "true or false")
    return value


def _fixed_head_size(old: OldConfig, key: str) -> Outcome:
    return Outcome(fate="translated", settings={"space.head_size": 64 if _flag(old, key) else 0})


def _batch_size(old: OldConfig, key: str) -> Outcome:
    old.whole(key)
    return Outcome(
        fate="dropped", note="the score looked at one image; probe.batch_size has the batch that it timed"
    )


def _latency_weight(old: OldConfig, key: str) -> Outcome:
    return Outcome(
        fate="changed",
        note=f"{old.number(key):g} divided by seconds an image; score.combination=reference has that arithmetic, and "
        "score.weights.latency a part in the ranks",
    )


_ZERO = "it had no effect in the original: its ViT score had no {} term; score.weights.{} has it here"
_MILLION = 1_000_000

LEGACY = Legacy(
    domains=("vit", "transformer"),
    keys={
        "max_param_limits": bound("params", "<=", factor=_MILLION),
        "min_param_limits": bound("params", ">=", factor=_MILLION),
        "SEARCH_SPACE": layered_choices({}),
        "SUPERNET": dropped("only the candidate is built, never a network that holds all"),
        "img_size": to("space.image_size"),
        "num_classes": to("space.classes"),
        "patch_size": to("space.patch_size"),
        "max_relative_position": to("space.max_relative_position"),
        "relative_position": to("space.relative_position", _flag),
        "abs_pos": to("space.absolute_position", _flag),
        "gp": to("space.global_pooling", _flag),
        "change_qkv": _fixed_head_size,
        "drop_path_rate": to("space.drop_path", OldConfig.number),
        "drop_rate": dropped("scores are taken without dropout, and training here has stochastic depth"),
        "batch_size": _batch_size,
        "expressivity_weight": dropped(_ZERO.format("expressivity", "expressivity")),
        "complexity_weight": dropped(_ZERO.format("complexity", "complexity")),
        "latency_weight": _latency_weight,
    },
)
