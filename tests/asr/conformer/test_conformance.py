"""The space of Conformers keeps the promises of every search space."""

from __future__ import annotations

from denas_asr.conformer.space import Conformer
from denas_core.testing import SpaceTests
from tests.asr.tiny_spaces import SIZES


class TestTheConformer(SpaceTests):
    def make(self) -> Conformer:
        return Conformer(**SIZES, kernels=[3, 5]).named("asr/conformer")
