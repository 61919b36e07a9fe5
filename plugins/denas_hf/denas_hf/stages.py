"""Choices of the number of layers of each stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denas_core import Knob, KnobValue


def knob_name(stage: int) -> str:
    """Return the name of the knob of a stage, counted from 0; names count from 1."""
    return f"stage{stage + 1}.layers"


def stage_knobs(choices: Sequence[tuple[int, ...]]) -> tuple[Knob, ...]:
    """Return a knob for each stage."""
    return tuple(Knob(knob_name(stage), own, stage + 1) for stage, own in enumerate(choices))


def stages_of(values: Mapping[str, KnobValue], stages: int) -> tuple[int, ...]:
    """Return the number of layers of each stage for the values of knobs."""
    return tuple(int(values[knob_name(stage)]) for stage in range(stages))


def stage_choices(full: Sequence[int], given: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return the choices of each stage: from half of its layers to all of them, or those `given` that it has.

    A stage with fewer layers than every given choice keeps its layers.

    Raises:
        ValueError: `given` is out of order, or no stage has so many layers.
    """
    if not given:
        return tuple(tuple(range(max(1, depth // 2), depth + 1)) for depth in full)
    if list(given) != sorted(set(given)) or given[0] < 1 or given[-1] > max(full):
        raise ValueError(
            f"layers {list(given)!r} must be different numbers from small to large, from 1 to {max(full)} as in the "
            "longest stage of the checkpoint"
        )
    return tuple(tuple(choice for choice in given if choice <= depth) or (depth,) for depth in full)
