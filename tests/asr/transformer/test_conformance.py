"""The space of speech transformers keeps the promises of every search space."""

from __future__ import annotations

import pytest

from denas_asr.transformer.space import Transformer
from denas_core.testing import SpaceTests
from tests.asr.tiny_spaces import SIZES


class TestTheTransformer(SpaceTests):
    def make(self) -> Transformer:
        return Transformer(**SIZES).named("asr/transformer")


class TestMicroAtItsSmallest(SpaceTests):
    def make(self) -> Transformer:
        options = {
            **Transformer.presets["micro"],
            "depths": [1, 2],
            "embed_dims": [64],
            "seconds": 0.3,
            "probe_frames": 13,
        }
        return Transformer(**options).named("asr/transformer")


@pytest.mark.nightly
class TestMicro(SpaceTests):
    def make(self) -> Transformer:
        return Transformer(**Transformer.presets["micro"], seconds=0.3).named("asr/transformer")
