"""Scores that do harm: what each does when it measures, and what must come of it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from .acts_changing import CHANGING
from .acts_failing import FAILING
from .acts_returning import RETURNING
from .making import Distribution, providing

HARMLESS = ""
"""The outcome of an act that decides nothing: the trial is scored."""

ACTS: Mapping[str, tuple[str, str]] = {**RETURNING, **FAILING, **CHANGING}
"""By name: a pattern of the trial's reason, empty if it is scored, and the source of the act."""

PART = """
import dataclasses, math, numbers, os, random, sys
import numpy
import torch
from denas_core import PassSpec, ProxyScore, ScoreFailed

SPEC = PassSpec(size=4, readout="cotangent", gradients="weights")

@dataclasses.dataclass(kw_only=True)
class It(ProxyScore):
    sizes: list[int] = dataclasses.field(default_factory=lambda: [1, 2])

    def passes(self):
        return (SPEC,)

    def measure(self, candidate):
        # Every other architecture, so that a search goes on.
        return act(self, candidate) if candidate.arch["kernel"] == 3 else 1.0

def act(self, candidate):
"""


def faulty_score(name: str) -> Distribution:
    """Return the plugin whose score does what `ACTS` says."""
    body = textwrap.indent(f"{textwrap.dedent(ACTS[name][1])}\nreturn 1.0\n", "    ")
    return providing(name, PART + body, scores="It")


CALM = providing("calm", f"{PART}    return 1.0\n", scores="It")
"""The same without harm."""
