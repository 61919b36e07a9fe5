"""The spaces keep the promises of every search space, at small sizes."""

from __future__ import annotations

from denas_bench.autoformer.space import AutoFormer
from denas_bench.flexibert.space import FlexiBERT
from denas_bench.nasbench201.space import NASBench201
from denas_bench.tc_resnet.space import TCResNet
from denas_core.testing import SpaceTests

FEW_BLOCKS = {"image_size": 32, "classes": 5, "depths": [1, 2], "embed_dims": [12, 24], "heads": [1, 2]}


class TestNASBench201(SpaceTests):
    def make(self) -> NASBench201:
        return NASBench201(image_size=8, channels=4, cells=1).named("bench/nasbench201")


class TestAutoFormer(SpaceTests):
    def make(self) -> AutoFormer:
        return AutoFormer(**FEW_BLOCKS).named("bench/autoformer")


class TestPlainTransformersOnSmallerImages(SpaceTests):
    def make(self) -> AutoFormer:
        return AutoFormer(**{**FEW_BLOCKS, "image_size": 48}, probe_size=32, plain=True).named(
            "bench/autoformer"
        )


class TestFlexiBERT(SpaceTests):
    def make(self) -> FlexiBERT:
        return FlexiBERT(vocab_size=64, positions=8, seq_len=8, probe_tokens=4).named("bench/flexibert")


class TestTCResNet(SpaceTests):
    def make(self) -> TCResNet:
        return TCResNet(bands=4, frames=20).named("bench/tc-resnet")
