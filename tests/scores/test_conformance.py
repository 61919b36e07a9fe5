"""Every score of the plugin keeps the promises of scores, on the sample spaces and on fused, masked attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from denas_core import SearchSpace
from denas_core.testing import CombinedScoreTests, ScoreTests
from denas_core.testing.samples.spaces import sample_spaces
from denas_scores.activations import LinearRegions, Swap
from denas_scores.baselines import Flops, Params
from denas_scores.complexity import Complexity, LogDeterminant
from denas_scores.de_score import DEScore
from denas_scores.diversity import Diversity
from denas_scores.expressivity import Expressivity
from denas_scores.gain import Gain
from denas_scores.gradients import EffectiveParams, Fisher, GradNorm, Grasp, HeadImportance, Zico
from denas_scores.jacobian import EpeNas
from denas_scores.layer_outputs import WPCA, HeadConfidence, MeCo
from denas_scores.saliency import Saliency
from denas_scores.synaptic import DSS, L2Norm, LogSynflow
from denas_scores.wrcor import WRCor
from denas_scores.zen import Zen

from .toy_spaces import AttentionSpace


class OnAttentionToo(ScoreTests):
    def spaces(self) -> Sequence[SearchSpace]:
        return (*sample_spaces(), AttentionSpace(fused=True, masked=True).named("toy/attention"))


class TestExpressivity(OnAttentionToo):
    def make(self) -> Expressivity:
        return Expressivity(batch_size=16)


class TestGain(OnAttentionToo):
    def make(self) -> Gain:
        return Gain(batch_size=16)


class TestComplexity(OnAttentionToo):
    def make(self) -> Complexity:
        return Complexity(batch_size=16)


class TestDiversity(OnAttentionToo):
    def make(self) -> Diversity:
        return Diversity()


class TestSaliency(OnAttentionToo):
    def make(self) -> Saliency:
        return Saliency()


class TestGradNorm(OnAttentionToo):
    def make(self) -> GradNorm:
        return GradNorm(batch_size=8, readout="cotangent")


class TestGrasp(OnAttentionToo):
    def make(self) -> Grasp:
        return Grasp(batch_size=8, readout="cotangent")


class TestFisher(OnAttentionToo):
    def make(self) -> Fisher:
        return Fisher(batch_size=8, readout="cotangent")


class TestZico(OnAttentionToo):
    def make(self) -> Zico:
        return Zico(batch_size=8, readout="cotangent")


class TestWRCor(OnAttentionToo):
    def make(self) -> WRCor:
        return WRCor(batch_size=8, readout="cotangent")


class TestEffectiveParams(OnAttentionToo):
    skips: ClassVar[Mapping[str, str]] = {"another_seed_gives_another_result": "it is a count"}

    def make(self) -> EffectiveParams:
        return EffectiveParams(batch_size=8, readout="cotangent")


class TestHeadImportance(OnAttentionToo):
    def make(self) -> HeadImportance:
        return HeadImportance(batch_size=8)


class TestHeadConfidence(OnAttentionToo):
    def make(self) -> HeadConfidence:
        return HeadConfidence(batch_size=8)


class TestMeCo(OnAttentionToo):
    def make(self) -> MeCo:
        return MeCo(batch_size=8)


class TestWPCA(OnAttentionToo):
    def make(self) -> WPCA:
        return WPCA(batch_size=8)


class TestSwap(OnAttentionToo):
    def make(self) -> Swap:
        return Swap(batch_size=8)


class TestLinearRegions(OnAttentionToo):
    skips: ClassVar[Mapping[str, str]] = {
        "another_seed_gives_another_result": "networks of usual width have a region for each sample",
        "values_tell_networks_apart": "networks of usual width have a region for each sample",
    }

    def make(self) -> LinearRegions:
        return LinearRegions(batch_size=8)


class TestEpeNas(OnAttentionToo):
    def make(self) -> EpeNas:
        return EpeNas(batch_size=8, classes=2)


class TestLogDeterminant(OnAttentionToo):
    def make(self) -> LogDeterminant:
        return LogDeterminant(batch_size=8)


class TestZen(OnAttentionToo):
    def make(self) -> Zen:
        return Zen(batch_size=8)


class TestDSS(OnAttentionToo):
    def make(self) -> DSS:
        return DSS()


class TestL2Norm(OnAttentionToo):
    def make(self) -> L2Norm:
        return L2Norm()


class TestLogSynflow(OnAttentionToo):
    def make(self) -> LogSynflow:
        return LogSynflow()


class TestParams(ScoreTests):
    def make(self) -> Params:
        return Params()


class TestFlops(ScoreTests):
    def make(self) -> Flops:
        return Flops()


class TestDEScore(CombinedScoreTests):
    def make(self) -> DEScore:
        return DEScore()
