"""The tasks of GLUE from a folder to metrics."""

from __future__ import annotations

from denas_core.space import SearchSpace
from denas_core.testing import TaskTests
from denas_nlp.glue.tasks import MRPC, RTE, SST2, STSB, CoLA

from .toy_text_space import ToyText

SPACE = ToyText().named("toy/text")


class TestPromisesOfSST2(TaskTests):
    def make(self) -> SST2:
        return SST2().named("nlp/sst2")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE, ToyText(segments=False, vocabulary=10).named("toy/small"))


class TestPromisesOfCoLA(TaskTests):
    def make(self) -> CoLA:
        return CoLA().named("nlp/cola")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE,)


class TestPromisesOfMRPC(TaskTests):
    def make(self) -> MRPC:
        return MRPC().named("nlp/mrpc")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE,)


class TestPromisesOfSTSB(TaskTests):
    def make(self) -> STSB:
        return STSB().named("nlp/stsb")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE, ToyText(positions=16).named("toy/short"))


class TestPromisesOfRTE(TaskTests):
    def make(self) -> RTE:
        return RTE().named("nlp/rte")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE,)
