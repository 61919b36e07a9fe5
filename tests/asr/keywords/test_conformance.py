"""The space and the task of keyword spotting keep the promises of their kinds."""

from __future__ import annotations

from denas_asr.keywords.space import Keywords
from denas_asr.keywords.task import KeywordSpotting
from denas_core.contracts.space import SearchSpace
from denas_core.testing import SpaceTests, TaskTests

SMALL = Keywords(classes=3, mels=10, frames=30).named("asr/keywords")


class TestKeywords(SpaceTests):
    def make(self) -> Keywords:
        return SMALL


class TestKeywordSpotting(TaskTests):
    def make(self) -> KeywordSpotting:
        return KeywordSpotting().named("asr/keyword-spotting")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SMALL,)
