"""The space of speech transformers keeps the promises of every search space."""

from __future__ import annotations

from denas_asr.transformer.space import Transformer
from denas_core.testing import SpaceTests
from tests.asr.tiny_spaces import SIZES


class TestTheTransformer(SpaceTests):
    def make(self) -> Transformer:
        return Transformer(**SIZES).named("asr/transformer")
