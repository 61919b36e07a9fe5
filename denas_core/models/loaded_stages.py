"""The stages of an exported network, run one after the other in any runtime."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LoadedStage:
    """A stage of an exported network in the runtime that runs it; a network without stages is a single one.

    Attributes:
        inputs: Names of its inputs, in order.
        outputs: Names of its outputs, in order.
        run: Takes the arrays of the inputs in order, and returns those of the outputs in order.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    run: Callable[[Sequence[Any]], Sequence[Any]]


def run_stages(stages: Sequence[LoadedStage], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Run stages in any order, and return their outputs by name, except those that another stage takes.

    A stage runs as soon as all its inputs exist, which come from `inputs` and from other stages.

    Args:
        stages: The stages.
        inputs: The inputs of the network by name, as arrays of the runtime.
    """
    known = dict(inputs)
    found: dict[str, Any] = {}
    waiting = list(stages)
    while waiting:
        stage = next(each for each in waiting if known.keys() >= {*each.inputs})
        waiting.remove(stage)
        outputs = dict(zip(stage.outputs, stage.run([known[name] for name in stage.inputs]), strict=True))
        known |= outputs
        found |= outputs
    used = {name for stage in stages for name in stage.inputs}
    return {name: array for name, array in found.items() if name not in used}
