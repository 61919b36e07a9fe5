"""The space keeps the promises of every search space, with every preset and with options that change its networks."""

from __future__ import annotations

import pytest

from denas_core.testing import SpaceTests
from denas_cv.cnn.space import CNN
from denas_cv.vit.space import ViT

SMALL = {"image_size": 16, "patch_size": 4, "depths": [1, 2], "embed_dims": [12, 24], "heads": [1, 2]}


class TestMicro(SpaceTests):
    def make(self) -> CNN:
        return CNN(**CNN.presets["micro"]).named("cv/cnn")


class TestCIFAR(SpaceTests):
    def make(self) -> CNN:
        return CNN(**CNN.presets["cifar"]).named("cv/cnn")


@pytest.mark.nightly
class TestImageNet(SpaceTests):
    def make(self) -> CNN:
        return CNN(**CNN.presets["imagenet"]).named("cv/cnn")


class TestInvertedWithSqueezeExcitation(SpaceTests):
    def make(self) -> CNN:
        return CNN(inverted=True, squeeze_excitation=True).named("cv/cnn")


@pytest.mark.nightly
class TestOddImagesOfOneChannel(SpaceTests):
    def make(self) -> CNN:
        return CNN(image_size=33, max_layers=5, channels=1).named("cv/cnn")


class TestViT(SpaceTests):
    def make(self) -> ViT:
        return ViT(**SMALL, head_size=8).named("cv/vit")


class TestMicroViT(SpaceTests):
    def make(self) -> ViT:
        return ViT(**ViT.presets["micro"]).named("cv/vit")


@pytest.mark.nightly
class TestPlainAttentionOnTheClassToken(SpaceTests):
    def make(self) -> ViT:
        options = {"head_size": 0, "relative_position": False, "global_pooling": False, "channels": 1}
        return ViT(**SMALL, **options, absolute_position=False).named("cv/vit")


@pytest.mark.nightly
class TestRelativePositionsOfHeadsThatShareTheWidth(SpaceTests):
    def make(self) -> ViT:
        return ViT(**SMALL, head_size=0, max_relative_position=2).named("cv/vit")
