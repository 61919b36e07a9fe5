"""The space keeps the promises of every search space, for networks of several families."""

from __future__ import annotations

import pytest

from denas_core.testing import SpaceTests
from denas_hf.space import Auto

from .tiny_models import CONFIGS, checkpoint, made


class TestCheckpoint(SpaceTests):
    def make(self) -> Auto:
        return made(model=str(checkpoint("bert")), inherit="magnitude", head_width="free")


@pytest.mark.nightly
class TestGPT2(SpaceTests):
    def make(self) -> Auto:
        return made(config=CONFIGS["gpt2"])


class TestLlama(SpaceTests):
    def make(self) -> Auto:
        return made(config=CONFIGS["llama"])


@pytest.mark.nightly
class TestT5(SpaceTests):
    def make(self) -> Auto:
        return made(config=CONFIGS["t5-gated"])


class TestViT(SpaceTests):
    def make(self) -> Auto:
        return made(config=CONFIGS["vit"], head_width="free")


@pytest.mark.nightly
class TestWav2Vec2(SpaceTests):
    def make(self) -> Auto:
        return made(config=CONFIGS["wav2vec2"], head_width="free")
