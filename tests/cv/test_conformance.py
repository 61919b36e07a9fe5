"""The space keeps the promises of every search space, with every preset and with options that change its networks."""

from __future__ import annotations

from denas_core.testing import SpaceTests
from denas_cv.cnn.space import CNN


class TestCIFAR(SpaceTests):
    def make(self) -> CNN:
        return CNN(**CNN.presets["cifar"]).named("cv/cnn")


class TestImageNet(SpaceTests):
    def make(self) -> CNN:
        return CNN(**CNN.presets["imagenet"]).named("cv/cnn")


class TestInvertedWithSqueezeExcitation(SpaceTests):
    def make(self) -> CNN:
        return CNN(inverted=True, squeeze_excitation=True).named("cv/cnn")


class TestOddImagesOfOneChannel(SpaceTests):
    def make(self) -> CNN:
        return CNN(image_size=33, max_layers=5, channels=1).named("cv/cnn")
