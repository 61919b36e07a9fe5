"""How the original's ViT search configurations are read: what each of their keys is here."""

from __future__ import annotations

from typing import Any

from denas_core.errors import ConfigError
from denas_core.legacy import Legacy, OldConfig, Outcome, bound, dropped, to

_NUMBERS = {"DEPTH": "depths", "MLP_RATIO": "mlp_ratios", "NUM_HEADS": "heads", "EMBED_DIM": "embed_dims"}
"""Option by the key of the section SEARCH_SPACE."""


def _search_space(old: OldConfig, key: str) -> Outcome:
    section = old.get(key)
    settings: dict[str, Any] = {}
    for name, choices in section.items() if isinstance(section, dict) else [("", None)]:
        kinds = (int, float) if name == "MLP_RATIO" else (int,)
        if name not in _NUMBERS or not isinstance(choices, list) or not choices:
            raise _refused(old, key)
        if any(type(choice) not in kinds for choice in choices):
            raise _refused(old, key)
        settings[f"space.{_NUMBERS[name]}"] = sorted(set(map(kinds[-1], choices)))
    return Outcome(fate="translated", settings=settings)


def _refused(old: OldConfig, key: str) -> ConfigError:
    return old.refused(key, f"lists of numbers under {', '.join(_NUMBERS)}, whole ones but for MLP_RATIO")


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
        "SEARCH_SPACE": _search_space,
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
