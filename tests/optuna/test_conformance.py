"""The strategies and the exporter keep the promises of their kinds, also where the sampler proposes."""

from __future__ import annotations

from denas_core.testing import RunExporterTests, StrategyTests
from denas_optuna.exporter import StudyFile
from denas_optuna.gp import GaussianProcess
from denas_optuna.nsga2 import NSGA2
from denas_optuna.tpe import TPE


class TestTPE(StrategyTests):
    def make(self) -> TPE:
        return TPE(startup=2, batch=4).named("optuna/tpe")


class TestTPEAsInstalled(StrategyTests):
    def make(self) -> TPE:
        return TPE().named("optuna/tpe")


class TestGaussianProcess(StrategyTests):
    def make(self) -> GaussianProcess:
        return GaussianProcess(startup=2, batch=2).named("optuna/gp")


class TestNSGA2(StrategyTests):
    def make(self) -> NSGA2:
        return NSGA2(population=4).named("optuna/nsga2")


class TestStudyFile(RunExporterTests):
    def make(self) -> StudyFile:
        return StudyFile().named("optuna/optuna")
