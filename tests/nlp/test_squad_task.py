"""Question answering from a folder to metrics."""

from __future__ import annotations

from denas_core.space import SearchSpace
from denas_core.testing import TaskTests
from denas_nlp.squad.task import Squad

from .toy_text_space import ToyText

SPACE = ToyText().named("toy/text")


class TestPromises(TaskTests):
    def make(self) -> Squad:
        return Squad().named("nlp/squad")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE, ToyText(segments=False, vocabulary=10).named("toy/small"))


class TestPromisesOfManyWindows(TaskTests):
    def make(self) -> Squad:
        return Squad(max_length=24, query_length=6, doc_stride=8, n_best=3).named("nlp/squad")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE,)
