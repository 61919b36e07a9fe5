"""The first step of a smaller network for texts: a copy of the checkpoint with fewer tokens."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry
from denas_core.system.atomic import storage_errors, write_json
from denas_core.values.metrics import ANY_METRIC
from denas_core.values.objectives import Constraint

from .shrink_request import ShrinkRequest
from .shrinking_space import open_shrinking_space

VOCABULARY = "vocabulary"
"""Folder of the copy."""

SIZES = frozenset({"params", "size_mb"})
"""Metrics for which rows of tokens count; FLOPs and latency do not change with their number."""

MUCH = 0.25
"""Share of the parameters from which on a smaller vocabulary is worth a note."""

FACTS = "vocabulary.json"
PARTIAL = "vocabulary.partial"


@dataclasses.dataclass(frozen=True, slots=True)
class Beginning:
    """The checkpoint with which a search begins.

    Attributes:
        request: What is asked for. Of a copy with fewer tokens, bounds on what is counted are absolute, because
            ``0.6x`` is relative to the checkpoint and not to the copy.
        facts: What the result says about the checkpoint and the copy.
    """

    request: ShrinkRequest
    facts: Mapping[str, Any]

    def describe(self) -> str:
        """Return which tokens a copy keeps, as a sentence."""
        facts = self.facts
        data, kept = facts["tokens_of_data"], facts["tokens_of_data_kept"]
        of_data = f", with {'all' if kept == data else f'{kept} of the'} {data} of the data" if data else ""
        return (
            f"the vocabulary has {facts['tokens']} of {facts['tokens_of_checkpoint']} tokens{of_data}; other words are "
            "written with shorter tokens"
        )


def whole(request: ShrinkRequest) -> Beginning:
    """Return a request that begins with the checkpoint as it is."""
    return Beginning(request, {})


def trim(request: ShrinkRequest, tokens: int, registry: Registry) -> Beginning:
    """Write the copy into the folder of the result, or find it there.

    Raises:
        ConfigError: the checkpoint has no vocabulary that can be smaller, or none of this size.
    """
    space, _ = open_shrinking_space(request, registry)
    folder, partial = request.out / VOCABULARY, request.out / PARTIAL
    if not folder.is_dir():
        with storage_errors(partial):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        with plugin_errors(f"space {space.id!r}", guard=False), storage_errors(partial):
            written = space.trim_vocabulary(partial, tokens=tokens)
        write_json(partial / FACTS, dict(written))
        with storage_errors(folder):
            partial.rename(folder)
    full = space.full()
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    if full is not None:
        facts["params_of_checkpoint"] = space.cost(full).get("params")
    constraints = tuple(_absolute(text, space) for text in request.constraints)
    return Beginning(dataclasses.replace(request, checkpoint=str(folder), constraints=constraints), facts)


def advice(request: ShrinkRequest, space: SearchSpace) -> str | None:
    """Return what to try if much of a checkpoint are rows for tokens, and its size is bounded; else None."""
    bounded = {Constraint.parse(text, metrics=ANY_METRIC).metric for text in request.constraints}
    if request.vocabulary is not None or bounded.isdisjoint(SIZES):
        return None
    with plugin_errors(f"space {space.id!r}"):
        share = space.share_of_tokens()
    if share < MUCH:
        return None
    return (
        f"{share:.0%} of the parameters of the checkpoint are rows for tokens; if size counts and time does not, fewer "
        "tokens (--vocabulary) lose less than a smaller network"
    )


def _absolute(text: str, space: SearchSpace) -> str:
    """Return a bound that is relative to the checkpoint of a space as an absolute one, if it bounds what is counted."""
    bound, full = Constraint.parse(text, metrics=ANY_METRIC), space.full()
    if not bound.relative or bound.is_measured or full is None:
        return text
    value = space.cost(full).get(bound.metric)
    return text if value is None else f"{bound.metric}{'<=' if bound.upper else '>='}{bound.bound * value!r}"


def remove_copy(out: Path) -> None:
    """Remove the copy, as if it had not been made."""
    for name in (VOCABULARY, PARTIAL):
        shutil.rmtree(out / name, ignore_errors=True)
