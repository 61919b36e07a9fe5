"""What tables of the original's keys are written with: rules of keys that say something here, and converters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from denas_core.contracts.original import OldConfig, Outcome, Rule

NO_TERM = "the original's score of this domain had no such term; score.weights has it here"


def number(value: Any) -> float:
    """Return a finite number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError("a number of at least 0")
    return value


def whole(value: Any) -> int:
    """Return a whole number that is not negative."""
    if number(value) != int(value):
        raise ValueError("a whole number")
    return int(value)


def text(value: Any) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def flag(value: Any) -> bool:
    """Return whether it is true."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping."""
    if not isinstance(value, dict):
        raise ValueError("a mapping")
    return value


def one_of(names: Mapping[str, str]) -> Callable[[Any], str]:
    """Return a converter of the original's names to ours."""

    def convert(value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return names[value]

    return convert


def to(target: str, convert: Callable[[Any], Any] = whole, *, note: str = "") -> Rule:
    """Return the rule of a key whose converted value is that of `target`."""
    return lambda old, key: Outcome(settings={target: old.read(key, convert)}, note=note)


def bound(metric: str, sign: Literal["<=", ">="], *, factor: float = 1, note: str = "") -> Rule:
    """Return the rule of a key that bounds a metric, in units `factor` times as large."""
    return lambda old, key: Outcome(constraints=(_constraint(old, key, metric, sign, factor),), note=note)


def millions(metric: str, note: str = "") -> dict[str, Rule]:
    """Return the rules of the two limits of the number of parameters, in millions."""
    return {
        "max_param_limits": bound(metric, "<=", factor=1_000_000, note=note),
        "min_param_limits": bound(metric, ">=", factor=1_000_000, note=note),
    }


def latency_bounds(*, batch: int, per_image: bool = False) -> dict[str, Rule]:
    """Return the rules of the two bounds of the latency: of a batch in ms, or its seconds by the number of images.

    Args:
        batch: Samples of a batch where the file does not say it.
        per_image: Whether the original divided the time by the samples of the batch.
    """

    def rule(old: OldConfig, key: str) -> Outcome:
        size = old.read("batch_size", whole, batch)
        sign = "<=" if key.endswith("max") else ">="
        note = f"milliseconds a batch of {size}, as the original timed it"
        return Outcome(
            constraints=(_constraint(old, key, "latency_ms", sign, 1000 * size if per_image else 1),),
            settings={"probe.batch_size": size},
            note=f"{note}; it divided by {size}" if per_image else note,
        )

    return {"budget_latency_max": rule, "budget_latency_min": rule}


def _constraint(old: OldConfig, key: str, metric: str, sign: str, factor: float) -> str:
    def positive(value: Any) -> float:
        if number(value) * factor <= 0:
            raise ValueError("positive")
        return number(value) * factor

    value = old.read(key, positive)
    return f"{metric}{sign}{int(value) if value == int(value) else value}"


def diversity_weight(old: OldConfig, key: str) -> Outcome:
    """Return what becomes of the weight of diversity in scores of texts: 0 stays, others only fitted its unit."""
    weight = old.read(key, number)
    if weight == 0:
        return Outcome(settings={"score.weights.diversity": 0.0})
    note = f"{weight:g} made its unit fit that of saliency, and ranks have none; score.combination=reference has it"
    return Outcome(fate="missing", note=note)


def latency_weight(unit: str) -> Rule:
    """Return the rule of a weight of the latency, which divided the score."""

    def rule(old: OldConfig, key: str) -> Outcome:
        note = (
            f"{old.read(key, number):g} for each {unit}; score.combination=reference has that arithmetic, and "
            "score.weights.latency a part in the ranks"
        )
        return Outcome(fate="missing", note=note)

    return rule


TEXT_KEYS: Mapping[str, Rule] = {
    **millions("params"),
    **latency_bounds(batch=32),
    "img_size": to("space.seq_len", note="tokens of a text"),
    "batch_size": to("score.synaptic_batch_size"),
    "diversity_weight": diversity_weight,
    "latency_weight": latency_weight("millisecond of a batch"),
}
"""Keys of searches for networks of text, which the original scored alike."""

_LAYERED = {"DEPTH": "depths", "MLP_RATIO": "mlp_ratios", "NUM_HEADS": "heads", "EMBED_DIM": "embed_dims"}


def layered_choices(usual: Mapping[str, Sequence[float]]) -> Rule:
    """Return the rule of SEARCH_SPACE for a space with the options of `denas_core.networks.layered`.

    Args:
        usual: Choices that the space has anyway, by option; where the file has the same, nothing is set.
    """

    def convert(section: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, choices in section.items() if isinstance(section, dict) else [("", None)]:
            kinds = (int, float) if name == "MLP_RATIO" else (int,)
            is_list = isinstance(choices, list) and all(type(choice) in kinds for choice in choices)
            if name not in _LAYERED or not is_list or not choices:
                raise ValueError(
                    f"lists of numbers under {', '.join(_LAYERED)}, whole ones but for MLP_RATIO"
                )
            found[_LAYERED[name]] = sorted({kinds[-1](choice) for choice in choices})
        return {f"space.{name}": values for name, values in found.items() if values != usual.get(name)}

    return lambda old, key: Outcome(settings=old.read(key, convert))
