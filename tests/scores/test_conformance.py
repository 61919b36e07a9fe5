"""Every score of the plugin keeps the promises of scores, on the sample spaces and on fused, masked attention."""

from __future__ import annotations

from collections.abc import Sequence

from denas_core import SearchSpace
from denas_core.testing import CombinedScoreTests, ScoreTests
from denas_core.testing.samples.spaces import sample_spaces
from denas_scores.baselines import Flops, Params
from denas_scores.complexity import Complexity
from denas_scores.de_score import DEScore
from denas_scores.diversity import Diversity
from denas_scores.expressivity import Expressivity
from denas_scores.saliency import Saliency

from .toy_spaces import AttentionSpace


class OnAttentionToo(ScoreTests):
    def spaces(self) -> Sequence[SearchSpace]:
        return (*sample_spaces(), AttentionSpace(fused=True, masked=True).named("toy/attention"))


class TestExpressivity(OnAttentionToo):
    def make(self) -> Expressivity:
        return Expressivity(batch_size=16)


class TestComplexity(OnAttentionToo):
    def make(self) -> Complexity:
        return Complexity(batch_size=16)


class TestDiversity(OnAttentionToo):
    def make(self) -> Diversity:
        return Diversity()


class TestSaliency(OnAttentionToo):
    def make(self) -> Saliency:
        return Saliency()


class TestParams(ScoreTests):
    def make(self) -> Params:
        return Params()


class TestFlops(ScoreTests):
    def make(self) -> Flops:
        return Flops()


class TestDEScore(CombinedScoreTests):
    def make(self) -> DEScore:
        return DEScore()
